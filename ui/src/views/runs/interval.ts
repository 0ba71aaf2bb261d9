/** Mean and Student's 95 % interval of a few numbers, as the server gives them for the main metric. */

// Two-sided 95 % quantiles for 1 to 30 degrees of freedom. Source: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069,
  2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Give the quantile; beyond the table by the first terms of its expansion around the normal's. */
export function quantile95(degrees: number): number {
  return T[degrees - 1] ?? 1.95996 + 2.3722 / degrees + 2.8225 / degrees ** 2;
}

export interface Interval {
  n: number;
  /** null below three numbers: then the numbers themselves are shown */
  mean: number | null;
  half: number | null;
}

export function intervalOf(values: readonly unknown[]): Interval {
  const numbers = values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  const n = numbers.length;
  if (n < 3) return { n, mean: null, half: null };
  const mean = numbers.reduce((sum, value) => sum + value, 0) / n;
  const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { n, mean, half: quantile95(n - 1) * Math.sqrt(variance / n) };
}
