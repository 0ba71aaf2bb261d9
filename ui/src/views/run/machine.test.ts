import { expect, test } from 'vitest';
import { machineRows } from './machine';

test('nested facts have dotted keys, sizes their unit, and the words are few', () => {
  const { rows, words } = machineRows({ host: 'h', python: { version: '3.12' }, cpu: { usable: 2, memory_bytes: 25_000_000_000 }, gpu: [{ name: 'A' }, { name: 'A' }], git: { commit: 'x' } });
  expect(words).toBe('h · Python 3.12 · 2 × A');
  expect(rows.map(({ key, text }) => `${key}=${text}`)).toEqual(['host=h', 'python.version=3.12', 'cpu.usable=2', 'cpu.memory_bytes=25 GB', 'gpu.0.name=A', 'gpu.1.name=A']);
});

test('of another shape, or of nothing, there is nothing to say', () => {
  expect(machineRows({})).toEqual({ rows: [], words: '' });
  expect(machineRows({ gpu: [], cpu: 'unknown' })).toEqual({ rows: [{ key: 'cpu', text: 'unknown' }], words: '' });
});
