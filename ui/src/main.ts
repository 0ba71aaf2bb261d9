import { early } from './early';
import { mount } from 'svelte';
import App from './App.svelte';
import { dressed } from './state/theme';
import './theme.css';

dressed();
const FIRST_ROWS_MS = 80;

/** Begin with the first rows where they are about to be there: a page without them would be laid out and painted for a moment. */
async function begin(): Promise<void> {
  await Promise.race([early, new Promise((resolve) => setTimeout(resolve, FIRST_ROWS_MS))]);
  // In a task of its own: reading the app's code and drawing its first page are long enough each.
  setTimeout(() => mount(App, { target: document.getElementById('app') as HTMLElement }));
}

void begin();
