import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const OUT = '../src/runfolio/server/ui';

/** Put `.gz` and `.br` beside each file that gains by it, so that the server never compresses them. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    writeBundle(options) {
      const folder = options.dir ?? OUT;
      for (const name of readdirSync(folder, { recursive: true }) as string[]) {
        if (!/\.(js|css|html|svg)$/.test(name)) continue;
        const plain = readFileSync(join(folder, name));
        for (const [ending, small] of [['gz', gzipSync(plain, { level: 9 })], ['br', brotliCompressSync(plain)]] as const) {
          if (small.length < plain.length * 0.9) writeFileSync(join(folder, `${name}.${ending}`), small);
        }
      }
    },
  };
}

/**
 * Have all of a file compiled while it is read, beside the page's own thread: by themselves browsers compile each function when it is first called,
 * and a first page calls most of them. Source: WICG, "Explicit JavaScript compile hints (file-based)"; a browser that knows it not reads a comment.
 */
function compiledWhenRead(): Plugin {
  return {
    name: 'compiled-when-read',
    apply: 'build',
    generateBundle: {
      order: 'post', // the comment must be the first of the file
      handler(_, bundle) {
        for (const each of Object.values(bundle)) if (each.type === 'chunk') each.code = `//# allFunctionsCalledOnLoad\n${each.code}`;
      },
    },
  };
}

// The policy of the server forbids inline code and styles, and strings turned into markup: hence `fragments: 'tree'`
// (Svelte builds nodes one by one), no inlined assets, and no polyfill of module preloading, which is an inline script.
export default defineConfig({
  plugins: [svelte({ configFile: false, compilerOptions: { fragments: 'tree', runes: true } }), compiledWhenRead(), packed()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': process.env.RUNFOLIO_UI ?? 'http://127.0.0.1:8321' } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
