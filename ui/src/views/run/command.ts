/** The captured command line as text, and the one that runs it again. Pure. */
import type { Value } from '../../api/types';

const SAFE = /^[\w@%+=:,./-]+$/;
const PYTHON_WITH_VALUE = new Set(['-W', '-X', '--check-hash-based-pycs']);
const PYTHON = /(^|\/)(python|pypy)[\d.]*(\.exe)?$/;
const OURS = /(^|\/)runfolio(\.exe|\/__main__\.py)?$/;

/** Quote a word for a POSIX shell. */
export function quoted(word: string): string {
  return SAFE.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function wordsOf(command: Value | undefined): string[] {
  return Array.isArray(command) ? command.map(String) : [];
}

/** Write a command line as one may type it. */
export function commandText(command: Value | undefined): string {
  return typeof command === 'string' ? command : wordsOf(command).map(quoted).join(' ');
}

/** Give the command that runs a script again as a tracked run; null where that cannot be told.
 *
 * What `runfolio run` was given stands in the captured line, params and name too; a script started by Python itself is given to
 * `runfolio run`. What only Python's own options told (`-c`, a pipe) cannot be run again.
 */
export function againCommand(command: Value | undefined): string | null {
  const words = wordsOf(command);
  if (words.some((word) => word.includes('***'))) return null; // a secret was hidden when it was captured
  const script = OURS.test(words[0] ?? '') ? words : afterPython(words);
  if (script === null || script.length === 0) return null;
  if (OURS.test(script[0]!)) return script[1] === 'run' ? line(['runfolio', ...script.slice(1)]) : null;
  if (script[0] === '-m' && script[1] === 'runfolio') return script[2] === 'run' ? line(['runfolio', ...script.slice(2)]) : null;
  if (script[0] === '-m') return script[1] ? line(['runfolio', 'run', ...script]) : null;
  return /^-/.test(script[0]!) ? null : line(['runfolio', 'run', ...script]);
}

/** Give what follows the interpreter and its options: a script or `-m` with its module; null where there is none. */
function afterPython(words: string[]): string[] | null {
  if (!PYTHON.test(words[0] ?? '')) return null;
  let at = 1;
  while (at < words.length && words[at]!.startsWith('-') && words[at] !== '-m' && words[at] !== '-c' && words[at] !== '-') {
    at += PYTHON_WITH_VALUE.has(words[at]!) ? 2 : 1;
  }
  return words.slice(at);
}

function line(words: string[]): string {
  return words.map(quoted).join(' ');
}
