/** What was captured of the machine, as rows and in a few words. Pure. */
import type { Value } from '../../api/types';
import { bytes } from '../../data/format';
import { named, textOf } from './facts';
import { valueText } from './params';

const OF_OTHERS = new Set(['git', 'packages', 'command', 'cwd']);

/** Give its rows, nested facts by dotted keys, and the words: host, processor, GPUs. */
export function machineRows(capture: { [field: string]: Value }): { rows: { key: string; text: string }[]; words: string } {
  const rows = Object.entries(capture)
    .filter(([key]) => !OF_OTHERS.has(key))
    .flatMap(([key, value]) => flat(key, value))
    .map(([key, value]) => ({ key, text: textFor(key, value) }));
  const python = textOf(named(capture.python).version);
  const cpu = named(capture.cpu);
  const cores = textOf(cpu.usable) || textOf(cpu.count);
  const words = [textOf(capture.host), python && `Python ${python}`, gpuWords(capture.gpu) || (cores && `${cores} cores`)].filter(Boolean).join(' · ');
  return { rows, words };
}

function gpuWords(gpus: Value | undefined): string {
  if (!Array.isArray(gpus) || gpus.length === 0) return '';
  const names = gpus.map((gpu) => textOf(named(gpu).name) || 'GPU');
  return names.every((name) => name === names[0]) && names.length > 1 ? `${names.length} × ${names[0]}` : names.join(', ');
}

function flat(key: string, value: Value): [string, Value][] {
  if (value === null || typeof value !== 'object') return [[key, value]];
  return Object.entries(value).flatMap(([inner, one]) => flat(`${key}.${inner}`, one));
}

function textFor(key: string, value: Value): string {
  return key.endsWith('_bytes') && typeof value === 'number' ? bytes(value) : valueText(value);
}
