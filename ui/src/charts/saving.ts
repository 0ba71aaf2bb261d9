/** What gives a chart away, as one piece of code that is sent for when it is wanted. */
export { asCsv } from '../data/as_csv';
export { asPython } from '../data/as_python';
export { asSvg } from '../data/as_svg';
export { chartPng } from './png';
export { copyText, saveFile } from './save';
