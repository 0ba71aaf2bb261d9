import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { listenTo } from './gestures';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A plot's area that is clicked at these times; gives what was done, and when. */
function clicks(zoomed: boolean, ...at_ms: number[]): string[] {
  const done: string[] = [];
  const area = Object.assign(new EventTarget(), { getBoundingClientRect: () => ({ left: 0, top: 0 }), setPointerCapture: () => undefined });
  const nothing = (): void => undefined;
  let now = 0;
  const say = (what: string): void => void done.push(`${what} at ${now}`);
  const stop = listenTo(area as unknown as HTMLElement, {
    move: nothing, choosing: nothing, chosen: nothing, pan: nothing, zoom: nothing, wheels: () => false,
    click: () => () => say('pick'),
    resets: () => zoomed,
    reset: () => say('reset'),
  });
  const until = (time: number): void => {
    for (; now < time; now += 10) vi.advanceTimersByTime(10);
  };
  for (const at of at_ms) {
    until(at);
    for (const name of ['pointerdown', 'pointerup']) {
      const event = Object.assign(new Event(name), { button: 0, clientX: 5, clientY: 5, pointerType: 'mouse', pointerId: 1, shiftKey: false });
      area.dispatchEvent(Object.defineProperty(event, 'timeStamp', { value: at }));
    }
  }
  until(2000);
  stop();
  return done;
}

test('a double click takes a zoom back and picks nothing', () => {
  expect(clicks(true, 0, 200)).toEqual(['reset at 200']);
});

test('a click picks: at once, or where a zoom is set when it is known to be one alone', () => {
  expect(clicks(false, 0)).toEqual(['pick at 0']);
  expect(clicks(true, 0)).toEqual(['pick at 340']);
  expect(clicks(true, 0, 500)).toEqual(['pick at 340', 'pick at 840']);
});
