import './early';
import { mount } from 'svelte';
import App from './App.svelte';
import { dressed } from './state/theme';
import './theme.css';

dressed();
// In a task of its own: reading the app's code and drawing its first page are long enough each.
setTimeout(() => mount(App, { target: document.getElementById('app') as HTMLElement }));
