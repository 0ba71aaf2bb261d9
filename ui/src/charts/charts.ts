/** The charts as one piece of code: the runs page sends for it while its list is drawn. */
export { default as Chart } from './Chart.svelte';
export { default as ChartPanel } from './ChartPanel.svelte';
export { LiveCharts } from './live_charts.svelte';
