/** Strict JSON with `{"$": …}` for what JSON cannot carry, read without bending a number. */

function revive(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || !('$' in value)) return value;
  const { $: text, ...rest } = value as Record<string, unknown>;
  if (typeof text !== 'string' || Object.keys(rest).length > 0) return value;
  if (text === 'NaN') return Number.NaN;
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY;
  return /^-?\d+$/.test(text) ? BigInt(text) : value;
}

/** Parse an answer; the slow way only where it holds such a number. */
export function decode<T>(text: string): T {
  return (text.includes('"$"') ? JSON.parse(text, revive) : JSON.parse(text)) as T;
}
