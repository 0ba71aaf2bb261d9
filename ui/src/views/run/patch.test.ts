import { expect, test } from 'vitest';
import { parseFile, parsePatch } from './patch';

const PATCH = `diff --git a/net.py b/net.py
index e7ec..743a 100644
--- a/net.py
+++ b/net.py
@@ -1,2 +1,2 @@
 def net():
-    return 2
+    return 4
--- not a header
\\ No newline at end of file
diff --git a/old.py b/new name.py
similarity index 100%
rename from old.py
rename to new name.py
`;

test('a patch parts into files, with what was added and removed counted', () => {
  const files = parsePatch(PATCH);
  expect(files.map(({ path, added, removed }) => [path, added, removed])).toEqual([
    ['net.py', 1, 2],
    ['new name.py', 0, 0],
  ]);
});

test('inside a hunk a line that looks like a header is a removed line', () => {
  expect(parsePatch(PATCH)[0]!.lines.map((one) => one.kind)).toEqual(['hunk', 'same', 'del', 'add', 'del', 'note']);
});

test('a renamed file says so', () => {
  expect(parsePatch(PATCH)[1]!.lines.map((one) => one.text)).toEqual(['rename from old.py', 'rename to new name.py']);
});

test('text that is no patch stands as notes', () => {
  expect(parsePatch('# left out: .env')).toEqual([{ path: '', added: 0, removed: 0, lines: [{ kind: 'note', text: '# left out: .env' }] }]);
  expect(parsePatch('')).toEqual([]);
});

test('the lines of one file come without its header', () => {
  expect(parseFile('a', ['--- a/a', '+++ b/a', '@@ -1 +1 @@', '-x', '+y']).lines.length).toBe(3);
});
