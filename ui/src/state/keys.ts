/** The keyboard: who answers which key, and what the help page tells. */

export interface Binding {
  /** as in `KeyboardEvent.key`, with `Shift+`, `Ctrl+` before it where they matter */
  key: string;
  what: string;
  /** heading in the help */
  group: string;
  run: (event: KeyboardEvent) => void;
  /** also while a field is typed into */
  typing?: boolean;
}

const bindings: Binding[] = [];

/** Answer these keys until the returned function is called; the newest binding of a key wins. */
export function bindKeys(...added: Binding[]): () => void {
  bindings.push(...added);
  return () => {
    for (const each of added) bindings.splice(bindings.indexOf(each), 1);
  };
}

export function boundKeys(): readonly Binding[] {
  return bindings;
}

/** The name of a pressed key, as bindings write it. A shifted sign is the sign itself: `?`, not `Shift+?`. */
export function keyName(event: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  const command = event.ctrlKey || event.metaKey ? 'Ctrl+' : '';
  const alt = event.altKey ? 'Alt+' : '';
  const shift = event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key)) ? 'Shift+' : '';
  return command + alt + shift + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]');
}

/** Enter and space belong to what has the focus, where it is a control; to a slider, what moves it. */
function isOwn(target: EventTarget | null, key: string): boolean {
  if (/^(Arrow|Page|Home|End)/.test(key) && target instanceof HTMLElement && target.matches('input[type=range], [role=slider]')) return true;
  return (key === 'Enter' || key === ' ') && target instanceof HTMLElement && target.matches('button, a, summary, [role=menuitem]');
}

export function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || document.querySelector('dialog[open], [role=menu]')) return;
  const key = keyName(event);
  if (isOwn(event.target, key)) return;
  const typing = isTyping(event.target);
  const found = bindings.findLast((each) => each.key === key && (!typing || each.typing));
  if (!found) return;
  event.preventDefault();
  found.run(event);
}
