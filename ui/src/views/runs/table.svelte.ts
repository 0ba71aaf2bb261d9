/**
 * The table's rows, as far as they were looked at: asked for in pieces by their place, kept until the question changes.
 *
 * What is on the screen stays there while a new question is under way: a question is answered into a new `Sheet`, which
 * replaces the old one when its first piece has come.
 */
import { askFolded, askRuns, PIECE, type FoldedAsked, type RunsAsked, type Selected } from '../../api/client';
import { isAborted } from '../../api/errors';
import type { Folded, LiveRun, Overview, RunsAnswer, Status, Value } from '../../api/types';
import { columnNoun } from './columns';
import { groupKey, MEMBERS_MAX, Places, runRows, type GroupRow, type Row, type RunRow } from './rows';

const MEMBERS_ASKED_MAX = 320; // ids in one address
const AHEAD_MS = 1000; // an answer ahead of its question is as good as one to it for so long

export interface Question {
  selected: Selected;
  sort: string;
  columns: string[];
  sparkline: string | null;
  /** null: every run its own row; else what to fold by, empty for all but the seed */
  by: string[] | null;
  metric: string | null;
  at: string;
}

/** One question's answer, as far as it has come. */
class Sheet {
  total = 0;
  runs = 0;
  over: string[] = [];
  by: string[] = [];
  interval = '';
  readonly serial: number;
  /** whether rows have come, and what their groups hold */
  hasRows = false;
  hasMembers = false;
  readonly rows = new Map<number, Row>();
  readonly byId = new Map<string, RunRow>();
  readonly asked = new Set<number>();
  readonly abort = new AbortController();

  constructor(
    readonly store: string,
    readonly question: Question,
    /** the same for an answer asked for anew */
    before: Sheet | null,
  ) {
    this.serial = before ? before.serial + (before.question === question ? 0 : 1) : 0;
    if (before?.question === question) [this.hasRows, this.hasMembers] = [before.hasRows, before.hasMembers];
  }

  /** Take the first piece as it came with the overview. */
  take({ runs, folded }: NonNullable<Overview['table']>): void {
    this.asked.add(0);
    if (folded) this.takeGroups(folded, 0);
    else if (runs) this.takeRuns(runs, 0);
    this.hasRows = true;
    if (!folded || !runs) return;
    const told = new Set(runs.ids);
    const groups = [...this.rows.values()].filter((row): row is GroupRow => row.kind === 'group');
    this.takeMembers(groups.filter(({ ids }) => ids.slice(0, MEMBERS_MAX).every((id) => told.has(id))), runs);
  }

  /** Ask for the piece that holds a row, once. */
  async fetch(piece: number): Promise<void> {
    if (this.asked.has(piece)) return;
    this.asked.add(piece);
    try {
      await (this.question.by === null ? this.fetchRuns(piece) : this.fetchGroups(piece));
      this.hasRows = true;
    } catch (error) {
      this.asked.delete(piece);
      throw error;
    }
  }

  private base(): RunsAsked {
    const { columns, sparkline } = this.question;
    return { column: columns, sparkline };
  }

  private async fetchRuns(piece: number): Promise<void> {
    const { selected, sort } = this.question;
    const offset = piece * PIECE;
    this.takeRuns(await askRuns(this.store, { ...selected, ...this.base(), sort, offset, limit: PIECE }, this.abort.signal), offset);
  }

  private takeRuns(answer: RunsAnswer, offset: number): void {
    this.total = this.runs = answer.total;
    runRows(answer).forEach((row, at) => {
      this.rows.set(offset + at, row);
      this.byId.set(row.id, row);
    });
  }

  private async fetchGroups(piece: number): Promise<void> {
    const { selected, sort, by, metric, at } = this.question;
    const offset = piece * PIECE;
    const asked: FoldedAsked = { ...selected, metric, at, sort, offset, limit: PIECE };
    if (by && by.length > 0 && by[0] !== '*') asked.by = by;
    this.takeGroups(await askFolded(this.store, asked, this.abort.signal), offset);
  }

  private takeGroups(answer: Folded, offset: number): void {
    this.total = answer.total;
    this.runs = answer.runs;
    this.over = answer.over;
    this.by = answer.by;
    this.interval = answer.interval;
    const groups = answer.rows.map((row): GroupRow => ({ ...row, kind: 'group', key: groupKey(row.params), members: null, open: false }));
    groups.forEach((group, index) => this.rows.set(offset + index, group));
  }

  /** Ask for what the runs of these groups hold in the other columns. */
  async fetchMembers(groups: GroupRow[]): Promise<void> {
    const wanted = groups.filter((group) => group.members === null);
    const ids: string[] = [];
    const taken: GroupRow[] = [];
    for (const group of wanted) {
      const some = group.ids.slice(0, MEMBERS_MAX);
      if (ids.length > 0 && ids.length + some.length > MEMBERS_ASKED_MAX) break;
      ids.push(...some);
      taken.push(group);
    }
    if (ids.length === 0) return;
    for (const group of taken) group.members = [];
    try {
      const runs = ids.map((id) => id.slice(0, 8)).join(',');
      const { archived, deleted } = this.question.selected;
      const which = { ...(archived && { archived }), ...(deleted && { deleted }) };
      const answer = await askRuns(this.store, { ...which, ...this.base(), runs, limit: ids.length }, this.abort.signal);
      this.takeMembers(taken, answer);
    } catch (error) {
      for (const group of taken) group.members = null;
      throw error;
    }
  }

  private takeMembers(groups: GroupRow[], answer: RunsAnswer): void {
    for (const row of runRows(answer, 1)) this.byId.set(row.id, row);
    for (const group of groups) {
      group.members = group.ids.slice(0, MEMBERS_MAX).flatMap((id) => this.byId.get(id) ?? []);
      if (group.ids.length === 1) for (const row of group.members) row.depth = 0;
    }
    this.hasMembers ||= groups.length > 0;
  }
}

export class Table {
  /** grows whenever a row may look different */
  rev = $state(0);
  error = $state.raw<unknown>(null);
  /** while a new question is under way */
  busy = $state(false);
  loaded = $state(false);

  private sheet: Sheet | null = null;
  private next: Sheet | null = null;
  /** what was asked for ahead of its question, and when it came */
  private ahead: { sheet: Sheet; came_ms: number } | null = null;
  private places = new Places(0, new Map());
  private openKeys = new Set<string>();

  constructor(private readonly store: string) {}

  /** Rows on the page, those of open groups among them. */
  get total(): number {
    void this.rev;
    return this.places.total;
  }

  get runs(): number {
    void this.rev;
    return this.sheet?.runs ?? 0;
  }

  /** Groups, where they are folded. */
  get groups(): number {
    void this.rev;
    return this.sheet?.total ?? 0;
  }

  get folded(): { over: string[]; by: string[]; interval: string; metric: string | null; at: string } | null {
    void this.rev;
    const sheet = this.sheet;
    if (!sheet || sheet.question.by === null) return null;
    return { over: sheet.over, by: sheet.by, interval: sheet.interval, metric: sheet.question.metric, at: sheet.question.at };
  }

  /** Grows while the first pieces come, then stands: what is laid out by the content follows it. */
  get stage(): string {
    void this.rev;
    return this.sheet ? `${this.sheet.serial} ${this.sheet.hasRows} ${this.sheet.hasMembers}` : '';
  }

  get question(): Question | null {
    void this.rev;
    return this.sheet?.question ?? null;
  }

  /** Show the answer to a question that nobody had to ask. */
  take(question: Question, given: NonNullable<Overview['table']>): void {
    this.next?.abort.abort();
    const sheet = new Sheet(this.store, question, this.sheet);
    sheet.take(given);
    this.show(sheet);
    this.busy = false;
  }

  /** Ask for the first piece of what is about to be asked, and show nothing of it. */
  async askAhead(question: Question, signal: AbortSignal): Promise<void> {
    const sheet = new Sheet(this.store, question, this.sheet);
    const stop = (): void => sheet.abort.abort();
    signal.addEventListener('abort', stop);
    await sheet.fetch(0);
    signal.removeEventListener('abort', stop); // once it is shown it is nobody's but the table's
    this.ahead = { sheet, came_ms: performance.now() };
  }

  private takeAhead(question: Question): Sheet | null {
    const found = this.ahead;
    this.ahead = null;
    const isIt = found !== null && performance.now() - found.came_ms < AHEAD_MS && JSON.stringify(found.sheet.question) === JSON.stringify(question);
    return isIt ? found.sheet : null;
  }

  /** Ask; what is shown stays until the answer is there. `around`: a row that should be there at once; `oncome` hears of the answer before it is shown. */
  async ask(question: Question, around = 0, until = around, oncome?: (runs: number, rows: number) => void): Promise<boolean> {
    this.next?.abort.abort();
    const sheet = (this.next = this.takeAhead(question) ?? new Sheet(this.store, question, this.sheet));
    this.busy = true;
    try {
      await this.fill(sheet, around, until);
      if (this.next !== sheet) return false;
      oncome?.(sheet.runs, sheet.total);
      this.show(sheet);
      return true;
    } catch (error) {
      if (!isAborted(error) && this.next === sheet) this.error = error;
      return false;
    } finally {
      if (this.next === sheet || this.next === null) this.busy = false;
    }
  }

  private show(sheet: Sheet): void {
    this.markFresh(sheet);
    this.sheet?.abort.abort();
    this.sheet = sheet;
    this.next = null;
    this.error = null;
    this.loaded = true;
    this.settle();
  }

  /** Fetch what is on the screen; where the same is asked again, all that stood there, so that nothing flickers. */
  private async fill(sheet: Sheet, around: number, until: number): Promise<void> {
    const [from, to] = [around, until].map((row) => Math.floor(this.placeOf(row) / PIECE)) as [number, number];
    const pieces = Array.from({ length: Math.max(1, to - from + 1) }, (_, at) => from + at);
    await Promise.all(pieces.map((piece) => sheet.fetch(piece)));
    const before = this.sheet;
    if (before?.question !== sheet.question || sheet.question.by === null) return;
    const known = new Set([...before.rows.values()].flatMap((row) => (row.kind === 'group' && row.members !== null ? [row.key] : [])));
    await sheet.fetchMembers([...sheet.rows.values()].filter((row): row is GroupRow => row.kind === 'group' && known.has(row.key)));
  }

  private placeOf(row: number): number {
    return this.sheet?.question.by === null ? row : this.places.find(row).group;
  }

  private markFresh(sheet: Sheet): void {
    const before = this.sheet;
    if (!before || before.question !== sheet.question || sheet.question.by !== null) return;
    for (const [at, row] of sheet.rows) if (row.kind === 'run' && at < 5 && !before.byId.has(row.id)) row.fresh = true;
  }

  /** The row at a place, or null while it is on its way. */
  row(at: number): Row | null {
    const { group, member } = this.places.find(at);
    const found = this.sheet?.rows.get(group) ?? null;
    if (!found || found.kind === 'run') return found;
    if (member >= 0) return found.members?.[member] ?? null;
    return found.ids.length === 1 ? (found.members?.[0] ?? found) : found;
  }

  /** See to it that these rows are there, and the ones a scroll would show next. */
  want(first: number, last: number): void {
    const sheet = this.sheet;
    if (!sheet || sheet.total === 0) return;
    const from = Math.floor(this.places.find(Math.max(0, first)).group / PIECE);
    const to = Math.floor(Math.min(sheet.total - 1, this.places.find(last).group) / PIECE);
    for (let piece = from; piece <= to; piece++) {
      if (!sheet.asked.has(piece)) void sheet.fetch(piece).then(() => this.arrived(sheet), this.failed);
    }
    if (sheet.question.by !== null) this.wantMembers(sheet, first, last);
  }

  private wantMembers(sheet: Sheet, first: number, last: number): void {
    const groups: GroupRow[] = [];
    for (let at = first; at <= last; at++) {
      const row = sheet.rows.get(this.places.find(at).group);
      if (row?.kind === 'group' && row.members === null && (row.ids.length <= 20 || row.open) && groups.at(-1) !== row) groups.push(row);
    }
    if (groups.length > 0) void sheet.fetchMembers(groups).then(() => this.arrived(sheet), this.failed);
  }

  private readonly failed = (error: unknown): void => {
    if (!isAborted(error)) this.error = error;
  };

  private arrived(sheet: Sheet): void {
    if (sheet === this.sheet) this.settle();
  }

  /** Count the rows anew. */
  private settle(): void {
    const sheet = this.sheet;
    const open = new Map<number, number>();
    if (sheet && this.openKeys.size > 0) {
      for (const [at, row] of sheet.rows) {
        if (row.kind !== 'group') continue;
        row.open = row.ids.length > 1 && this.openKeys.has(row.key);
        if (row.open) open.set(at, Math.min(row.ids.length, MEMBERS_MAX));
      }
    }
    this.places = new Places(sheet?.total ?? 0, open);
    this.rev++;
  }

  unfold(group: GroupRow, open: boolean): void {
    if (group.ids.length < 2) return;
    if (open) this.openKeys.add(group.key);
    else this.openKeys.delete(group.key);
    group.open = open;
    this.settle();
  }

  unfoldAll(): void {
    for (const row of this.loadedRows()) if (row.kind === 'group') this.openKeys.add(row.key);
    this.settle();
  }

  /** Where a run stands among what was loaded; -1: not there. */
  find(id: string): number {
    if (!this.sheet) return -1;
    for (let at = 0; at < this.places.total; at++) {
      const row = this.row(at);
      if (row?.kind === 'run' && row.id === id) return at;
    }
    return -1;
  }

  run(id: string): RunRow | null {
    return this.sheet?.byId.get(id) ?? null;
  }

  /** All that was loaded, for scales and full ids. */
  *loadedRows(): Generator<Row> {
    if (!this.sheet) return;
    yield* this.sheet.rows.values();
  }

  *loadedRuns(): Generator<RunRow> {
    if (!this.sheet) return;
    yield* this.sheet.byId.values();
  }

  /** Take in what the stream tells; gives whether order or number of rows may have changed. */
  hear(runs: readonly LiveRun[]): boolean {
    let moved = false;
    let touched = false;
    for (const told of runs) {
      const row = this.sheet?.byId.get(told.id);
      if (told.new || told.gone || told.status !== 'running') moved = true; // one at rest is told of when it was edited
      if (!row) continue;
      touched = true;
      if (row.cells.status !== told.status) moved = true;
      row.cells = { ...row.cells, status: told.status satisfies Status, ...lastValues(row.cells, told) };
    }
    if (touched) this.rev++;
    return moved;
  }

  close(): void {
    this.sheet?.abort.abort();
    this.next?.abort.abort();
  }
}

function lastValues(cells: Record<string, Value>, told: LiveRun): Record<string, Value> {
  const found: Record<string, Value> = {};
  for (const key of Object.keys(cells)) {
    const noun = columnNoun(key);
    const value = noun.family === 'metrics' ? told.values?.[noun.name] : undefined;
    if (!value) continue;
    if (noun.number === 'last') found[key] = value[1];
    if (noun.number === 'last_step') found[key] = value[0];
  }
  return found;
}
