/** A unified diff as files with lines, to be folded and coloured. Pure. */

export type Kind = 'add' | 'del' | 'hunk' | 'same' | 'note';

export interface PatchLine {
  kind: Kind;
  text: string;
}

export interface PatchFile {
  path: string;
  added: number;
  removed: number;
  lines: PatchLine[];
}

const NEW_FILE = /^diff --git (?:"?a\/.*?"?) "?b\/(.*?)"?$/;
const OF_GIT = /^(index |old mode |new mode |similarity |dissimilarity |rename |copy |deleted file|new file|--- |\+\+\+ )/;

/** Parse what `git diff` wrote. Lines before the first file stand in one without a path. */
export function parsePatch(text: string): PatchFile[] {
  const files: PatchFile[] = [];
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  let inHunk = false;
  for (const line of lines) {
    const found = NEW_FILE.exec(line);
    if (found) {
      files.push(empty(found[1]!));
      inHunk = false;
      continue;
    }
    if (files.length === 0) files.push(empty(''));
    const file = files[files.length - 1]!;
    inHunk ||= line.startsWith('@@');
    if (!inHunk && file.path === '' && line.startsWith('+++ ')) file.path = line.slice(4).replace(/^b\//, '');
    if (!inHunk && OF_GIT.test(line)) {
      if (/^(rename|deleted|new file|old mode|new mode)/.test(line)) file.lines.push({ kind: 'note', text: line });
      continue;
    }
    put(file, lineOf(line, inHunk));
  }
  return files;
}

/** Give the lines of one file, as `/diff` has them. */
export function parseFile(path: string, lines: readonly string[]): PatchFile {
  const file = empty(path);
  for (const line of lines) if (!/^(--- |\+\+\+ )/.test(line) || file.lines.length > 0) put(file, lineOf(line, true));
  return file;
}

function empty(path: string): PatchFile {
  return { path, added: 0, removed: 0, lines: [] };
}

function put(file: PatchFile, line: PatchLine): void {
  if (line.kind === 'add') file.added += 1;
  if (line.kind === 'del') file.removed += 1;
  file.lines.push(line);
}

function lineOf(text: string, inHunk: boolean): PatchLine {
  if (!inHunk || text.startsWith('\\')) return { kind: 'note', text };
  if (text.startsWith('@@')) return { kind: 'hunk', text };
  if (text.startsWith('+')) return { kind: 'add', text };
  return text.startsWith('-') ? { kind: 'del', text } : { kind: 'same', text };
}
