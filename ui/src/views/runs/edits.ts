/** What is done to runs from the table: done at once, said in a toast, taken back from there. */
import { edit, undo } from '../../api/client';
import { many } from '../../data/format';
import type { Edit } from '../../api/types';
import { toasts } from '../../kit/toasts.svelte';

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Change runs; `after` is called when they have changed, and again when that was taken back. */
export async function act(store: string, what: Edit, after: () => void): Promise<boolean> {
  try {
    const done = await edit(store, what);
    after();
    const { change } = done;
    const back = change === null ? null : { label: 'Undo', run: () => void takeBack(store, after, change) };
    toasts.say(`${many(done.runs ?? 0, 'run')}: ${done.what || 'as it was'}`, back);
    return true;
  } catch (error) {
    toasts.fail(`Nothing was changed: ${words(error)}`);
    return false;
  }
}

/** Take back a change, the last one by default. */
export async function takeBack(store: string, after: () => void, only: string | null = null): Promise<void> {
  try {
    const back = await undo(store, only);
    toasts.say(back.change === null ? 'There is nothing to take back.' : `Taken back: ${back.what ?? 'the last change'}`);
    after();
  } catch (error) {
    toasts.fail(words(error));
  }
}
