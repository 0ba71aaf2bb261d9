/** The artifacts of a run as the page shows them: files with their versions, and what was logged at steps as strips. Pure. */
import type { ArtifactFacts } from './facts';

export interface Kept {
  name: string;
  latest: ArtifactFacts;
  /** The oldest first. */
  versions: ArtifactFacts[];
}

export interface Strip {
  name: string;
  /** One for each step, the latest version of it, in the order of steps. */
  frames: (ArtifactFacts & { step: number })[];
}

export interface Arranged {
  strips: Strip[];
  files: Kept[];
}

const PICTURE = /^image\//;

/** Part artifacts into strips (images that came at two or more steps) and files. */
export function arranged(artifacts: readonly ArtifactFacts[]): Arranged {
  const byName = new Map<string, ArtifactFacts[]>();
  for (const one of artifacts) {
    const there = byName.get(one.name);
    if (there) there.push(one);
    else byName.set(one.name, [one]);
  }
  const found: Arranged = { strips: [], files: [] };
  for (const [name, versions] of byName) {
    const frames = framesOf(versions);
    if (frames.length > 1) found.strips.push({ name, frames });
    else found.files.push({ name, versions, latest: versions[versions.length - 1]! });
  }
  return found;
}

function framesOf(versions: readonly ArtifactFacts[]): Strip['frames'] {
  const at = new Map<number, ArtifactFacts & { step: number }>();
  for (const one of versions) if (one.step !== null && PICTURE.test(one.media ?? '')) at.set(one.step, { ...one, step: one.step });
  return [...at.values()].sort((a, b) => a.step - b.step);
}

/** Give every step at which one of the strips has a frame, in order. */
export function stepsOf(strips: readonly Strip[]): number[] {
  return [...new Set(strips.flatMap((strip) => strip.frames.map((one) => one.step)))].sort((a, b) => a - b);
}

/** Give the frame at a step, or the last before it: what a strip shows while another one has steps between. */
export function frameAt(strip: Strip, step: number): Strip['frames'][number] | null {
  return strip.frames.findLast((one) => one.step <= step) ?? strip.frames[0] ?? null;
}

/** Say what a file is in a word, by its media type or the ending of its name. */
export function kindOf(one: Pick<ArtifactFacts, 'name' | 'media'>): string {
  const media = one.media ?? '';
  const ending = /\.([A-Za-z0-9]{1,8})$/.exec(one.name)?.[1]?.toLowerCase();
  return ending ?? media.replace(/^.*\//, '').replace(/^x-/, '').slice(0, 12);
}
