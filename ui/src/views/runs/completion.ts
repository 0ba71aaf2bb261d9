/** What may come next in a filter, where the caret stands; docs/guide/filters.md. */
import type { Names } from '../../api/types';

export interface Offer {
  text: string;
  hint: string;
}

export interface Offers {
  /** what is replaced */
  from: number;
  to: number;
  items: Offer[];
  /** the name whose values may come here */
  valuesOf: string | null;
}

const FIELDS: Record<string, string> = {
  name: 'text',
  status: 'running, finished, …',
  experiment: 'text',
  created: 'moment',
  duration: 'seconds',
  tags: '"word" in tags',
  notes: 'text',
  id: 'text',
  ended: 'moment',
  attempts: 'number',
  archived: 'true or false',
};
const OPERATORS: Record<string, string> = {
  '<': 'less',
  '<=': 'at most',
  '>': 'more',
  '>=': 'at least',
  '==': 'is',
  '!=': 'is not',
  in: 'one of (…)',
  like: 'a pattern with * and ?',
  'is None': 'missing',
  'is not None': 'there',
};
const JOINTS: Record<string, string> = { and: 'both', or: 'either' };
const AGGREGATES = ['last', 'min', 'max', 'mean', 'first', 'count', 'nan_count', 'best'];
const TOKEN = /\s+|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`[^`]*`?|<=|>=|==|!=|[<>=(),+*/%-]|(?:[\p{L}_][\p{L}\p{N}_]*(?:\.|\["(?:[^"\\]|\\.)*"?\]?)*)+|[\d.][\w.+-]*|./gu;
const WORDS = new Set(['and', 'or', 'not', 'in', 'like', 'is', 'None', 'True', 'False', 'true', 'false']);
const COMPARES = new Set(['<', '<=', '>', '>=', '=', '==', '!=', 'like']);

/** Write a family's member so that the filter reads it back: `params.lr`, `metrics["val/acc"]`. */
export function nameText(family: string, name: string): string {
  const plain = name.split('.').every((part) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(part) && !WORDS.has(part));
  return plain ? `${family}.${name}` : `${family}["${name.replace(/[\\"]/g, '\\$&')}"]`;
}

function nameOffers(names: Names): Offer[] {
  const fields = Object.entries(FIELDS).map(([text, hint]) => ({ text, hint }));
  const params = names.params.map((name) => ({ text: nameText('params', name), hint: 'param' }));
  const metrics = names.metrics.flatMap((name) =>
    (name === names.objective ? ['last', 'min', 'max'] : ['last']).map((number) => ({ text: `${nameText('metrics', name)}.${number}`, hint: 'metric' })),
  );
  const summary = names.summary.map((name) => ({ text: nameText('summary', name), hint: 'summary' }));
  const tags = names.tags.map((name) => ({ text: nameText('tags', name), hint: 'tag' }));
  return [...params, ...metrics, ...fields, ...summary, ...tags];
}

/** Fit for a typed part: its beginning first, then the beginning of a word in it, then anywhere. */
function fitting(offers: Offer[], typed: string): Offer[] {
  const wanted = typed.toLowerCase();
  if (wanted === '') return offers;
  const rank = ({ text }: Offer): number => {
    const low = text.toLowerCase();
    const at = low.indexOf(wanted);
    if (at < 0) return -1;
    if (at === 0) return 0;
    return /[./_"[]/.test(low[at - 1] ?? '') ? 1 : 2;
  };
  return offers
    .map((offer) => ({ offer, rank: rank(offer) }))
    .filter((each) => each.rank >= 0 && each.offer.text !== typed)
    .sort((a, b) => a.rank - b.rank || stem(a.offer).length - stem(b.offer).length)
    .map((each) => each.offer);
}

/** Without the number of a metric: those of one metric stay as they were put. */
const stem = ({ text, hint }: Offer): string => (hint === 'metric' ? text.slice(0, text.lastIndexOf('.')) : text);

const offersOf = (words: Record<string, string>): Offer[] => Object.entries(words).map(([text, hint]) => ({ text, hint }));

/** After `metrics.x.` the numbers of the metric; else null. */
function aggregates(typed: string, names: Names): Offer[] | null {
  const metric = names.metrics.find((name) => typed.startsWith(`${nameText('metrics', name)}.`));
  if (metric === undefined) return null;
  const base = nameText('metrics', metric);
  return fitting(
    AGGREGATES.map((each) => ({ text: `${base}.${each}`, hint: each === 'best' ? 'by its goal' : 'number of the metric' })),
    typed,
  );
}

/** Say what may stand at the caret. */
export function offersAt(text: string, caret: number, names: Names): Offers {
  const before = [...text.slice(0, caret).matchAll(TOKEN)].map((match) => ({ text: match[0], at: match.index }));
  const last = before.at(-1);
  const isTyping = last !== undefined && !/^\s/.test(last.text) && !/^[<>=!(),+*/%-]+$/.test(last.text);
  const typed = isTyping ? last.text : '';
  const from = isTyping ? last.at : caret;
  const words = before.filter((token) => !/^\s/.test(token.text));
  const [previous, earlier] = isTyping ? [words.at(-2)?.text, words.at(-3)?.text] : [words.at(-1)?.text, words.at(-2)?.text];
  const here = (items: Offer[], valuesOf: string | null = null): Offers => ({ from, to: caret, items, valuesOf });

  if (previous !== undefined && COMPARES.has(previous) && earlier !== undefined) return here(valueOffers(earlier, typed, names), earlier);
  if (previous === undefined || ['and', 'or', 'not', '(', ','].includes(previous)) {
    return here((isTyping && aggregates(typed, names)) || fitting(nameOffers(names), typed));
  }
  if (isValue(previous)) return here(fitting(offersOf(JOINTS), typed));
  return here(fitting(offersOf(wasCompared(words, isTyping) ? JOINTS : OPERATORS), typed));
}

const isValue = (token: string): boolean => /^["'\d.)]/.test(token) || ['None', 'True', 'False', 'true', 'false'].includes(token);

/** Whether the word before the caret is itself the right side of a comparison: `"x" in tags|`. */
function wasCompared(words: { text: string }[], isTyping: boolean): boolean {
  const sign = words.at(isTyping ? -3 : -2)?.text;
  return sign !== undefined && (COMPARES.has(sign) || sign === 'in');
}

function valueOffers(name: string, typed: string, names: Names): Offer[] {
  const quoted = (values: string[], hint: string): Offer[] => values.map((value) => ({ text: JSON.stringify(value), hint }));
  if (name === 'status') return fitting(quoted(['running', 'finished', 'failed', 'killed', 'lost'], 'state'), typed.replace(/^"/, ''));
  if (name === 'experiment') return fitting(quoted(names.experiments.map((each) => each.name), 'experiment'), typed.replace(/^"/, ''));
  if (name === 'created' || name === 'ended') return fitting(quoted(['1 hour ago', 'yesterday', '7 days ago'], 'moment'), typed.replace(/^"/, ''));
  return [];
}

/** Put an offer in its place; gives the text and where the caret stands then. */
export function taken(text: string, offers: Offers, offer: Offer): { text: string; caret: number } {
  const put = `${offer.text} `;
  const rest = text.slice(offers.to).replace(/^ /, '');
  return { text: text.slice(0, offers.from) + put + rest, caret: offers.from + put.length };
}

/** The param that a name of the filter means, or null. */
export function paramOf(name: string, names: Names): string | null {
  return names.params.find((each) => name === nameText('params', each) || name === each) ?? null;
}
