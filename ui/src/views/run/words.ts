/** Times, progress and warnings of a run in words. Pure. */
import { bytes, count, duration, many } from '../../data/format';
import type { RunFacts } from './facts';

/** Write a time by the reader's own clock: 2026-03-01 14:05. */
export function moment(time_ms: number): string {
  const at = new Date(time_ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Say how far a run has come; empty where that is not known. */
export function progressText({ step, total_steps, fraction, left_s }: RunFacts['progress'], running: boolean): string {
  if (step === null) return '';
  if (!total_steps) return `step ${count(step)}`;
  const part = fraction === null ? '' : ` (${Math.floor(fraction * 100)} %)`;
  const left = running && left_s !== null ? `, ${duration(left_s)} left` : '';
  return `step ${count(step)} of ${count(total_steps)}${part}${left}`;
}

/** Say what a reader should know before believing the numbers: damage, losses, copies elsewhere. */
export function warningsOf(facts: Pick<RunFacts, 'warnings' | 'lost' | 'lost_points' | 'spooled_in' | 'output'>): string[] {
  const said = [...facts.warnings];
  const lost = Math.max(facts.lost.points, facts.lost_points);
  if (lost > 0 && !said.some((one) => /lost/i.test(one))) {
    const causes = facts.lost.causes.length > 0 ? `: ${facts.lost.causes.slice(0, 3).join('; ')}` : '';
    said.push(`${many(lost, 'point')} could not be kept${causes}. The curves have gaps there.`);
  }
  if (facts.spooled_in.length > 0 && !said.some((one) => /spool/i.test(one))) {
    said.push(`Part of this run still lies in a spool and is read from there: ${facts.spooled_in.join(', ')}.`);
  }
  if (facts.output.cut_bytes) said.push(`${bytes(facts.output.cut_bytes)} of the output were cut out of its middle, as it grew too large.`);
  return said;
}
