// runfolio beside other trackers in a harness that drives their pages: `--extra adapter.mjs`, contract in that harness's head.
// RUNFOLIO is the command, RUNFOLIO_500 the store of `bench/screen/stores.py:five_hundred`.
export default ({ sleep }) => {
  const store = process.env.RUNFOLIO_500;
  const name = store.split('/').at(-1);
  const page = `/${name}/runs`;
  const runfolio = {
    root: store,
    env: { RUNFOLIO_DIR: store },
    cmd: (port) => [process.env.RUNFOLIO ?? 'runfolio', 'ui', store, '--port', String(port), '--no-browser'],
    list: page,
    row: 'run0\\d{4}',
    lines: () => [...document.querySelectorAll('figure')].length + ' charts',
    chart: async (tab, h, base) => {
      await tab.goto('about:blank');
      h.p0 = 0;
      await tab.goto(base + page, { waitUntil: 'commit' });
    },
    chart100: async (tab, h) => {
      await tab.fill('#filter', 'p1 < 100');
      await sleep(300);
      h.p0 = await h.pnow();
      await tab.press('#filter', 'Enter');
    },
  };
  return { runfolio };
};
