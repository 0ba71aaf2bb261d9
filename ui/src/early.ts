/** The first question of the page that is being opened, sent before the app is there to draw its answer. */
import { askAhead, overviewAddress } from './api/client';
import { isPlain, parse, selectedIn } from './state/url';

const opened = parse(location.pathname, location.search);
if (opened.store !== null && opened.page === 'runs') askAhead(overviewAddress(opened.store, selectedIn(opened), isPlain(opened)));
