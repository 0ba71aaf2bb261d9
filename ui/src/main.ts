import { mount } from 'svelte';
import App from './App.svelte';
import { dressed } from './state/theme';
import './theme.css';

dressed();
mount(App, { target: document.getElementById('app') as HTMLElement });
