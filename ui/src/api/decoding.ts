/**
 * Strict JSON, read without bending a number: `{"$": "NaN"}` stands for what JSON cannot carry. A key of the user's own
 * that begins with `$` comes with one more, so that nothing is mistaken for it.
 */

function revive(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const keys = Object.keys(value);
  if (!keys.some((key) => key.startsWith('$'))) return value;
  if (keys.length === 1 && keys[0] === '$') return numberOf((value as { $: string }).$);
  return Object.fromEntries(Object.entries(value).map(([key, each]: [string, unknown]) => [key.startsWith('$$') ? key.slice(1) : key, each]));
}

function numberOf(text: string): number | bigint {
  if (text === 'NaN') return Number.NaN;
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY;
  return BigInt(text);
}

/** Parse an answer; the slow way only where it holds such a number. */
export function decode<T>(text: string): T {
  return (text.includes('"$') ? JSON.parse(text, revive) : JSON.parse(text)) as T;
}
