import { expect, test } from 'vitest';
import { FrameError, readFrame } from './frames';
import { frameBytes } from './frame_bytes';

const HEADER = { metric: 'm', goal: null, x: 'step', runs: 1, with: 1, drawn: 1, points: [3, 3], thinned: false, buckets: 600, range: [0, 2], bands: [], words: '' };

test('an exact curve comes as it lies in the buffer, bit for bit', () => {
  const made = frameBytes((body) => ({
    ...HEADER,
    grids: [body.put('f8', [0, 1, 2])],
    curves: [{ id: 'a', grid: 0, points: 3, thinned: false, y: body.put('f8', [0.1, Number.NaN, -0]), marks: [[1, 'NaN']], final: [] }],
  }));
  const frame = readFrame(made);
  const curve = frame.curves[0];
  expect([...(curve?.y ?? [])]).toEqual([0.1, Number.NaN, -0]);
  expect(curve?.y.buffer).toBe(made);
  expect(curve?.marks).toEqual([[1, Number.NaN]]);
  expect(curve?.final).toBeNull();
});

test('quantised values widen to a + b·k, and 65535 is a gap', () => {
  const frame = readFrame(
    frameBytes((body) => ({
      ...HEADER,
      grids: [body.put('f8', [0, 1, 2])],
      curves: [{ id: 'a', grid: 0, points: 9, thinned: true, min: body.put('u2', [0, 65535, 2], [1, 0.5]), max: body.put('f4', [1, 2, 3]), last: body.put('u2', [1, 65535, 65534], [1, 0.5]) }],
    })),
  );
  expect([...(frame.curves[0]?.low ?? [])]).toEqual([1, Number.NaN, 2]);
  expect([...(frame.curves[0]?.y ?? [])]).toEqual([1.5, Number.NaN, 32768]);
});

test('values that stand far from 0 and near each other stay apart', () => {
  const scale: [number, number] = [1e9, 1e-3];
  const frame = readFrame(
    frameBytes((body) => ({
      ...HEADER,
      grids: [body.put('f8', [0, 1])],
      curves: [{ id: 'a', grid: 0, points: 2, thinned: false, y: body.put('u2', [0, 1], scale) }],
    })),
  );
  const [first, second] = frame.curves[0]?.y ?? [];
  expect((second as number) - (first as number)).toBeCloseTo(1e-3, 6);
});

test('bands are read with the names of their line and their interval', () => {
  const frame = readFrame(
    frameBytes((body) => ({
      ...HEADER,
      grids: [body.put('f8', [0, 1])],
      curves: [],
      bands: [{ params: null, ids: ['a'], runs: 1, grid: 0, count: body.put('i4', [1, 1]), centre: body.put('f8', [1, 2]), low: body.put('f8', [0, 1]), high: body.put('f8', [2, 3]), centre_name: 'median', band_name: '10–90 % of the runs' }],
    })),
  );
  expect(frame.bands[0]).toMatchObject({ centreName: 'median', bandName: '10–90 % of the runs', count: Float64Array.of(1, 1) });
});

test('what is no frame, is cut off or points beyond its end is refused', () => {
  const whole = frameBytes((body) => ({ ...HEADER, grids: [body.put('f8', [0, 1])], curves: [] }));
  expect(() => readFrame(new TextEncoder().encode('{"error": {}}').buffer)).toThrow(FrameError);
  expect(() => readFrame(whole.slice(0, 40))).toThrow(FrameError);
  expect(() => readFrame(whole.slice(0, whole.byteLength - 8))).toThrow(FrameError);
  expect(() => readFrame(new ArrayBuffer(0))).toThrow(FrameError);
});
