import { expect, test } from 'vitest';
import { type Block, parseInline, parseMarkdown, safeAddress } from './markdown';

const text = (value: string) => ({ kind: 'text' as const, text: value });

test('paragraphs part at an empty line, and a line stays a line', () => {
  expect(parseMarkdown('a\nb\n\nc')).toEqual([
    { kind: 'paragraph', children: [text('a'), { kind: 'break' }, text('b')] },
    { kind: 'paragraph', children: [text('c')] },
  ]);
});

test('headings, rules, quotes and code are blocks', () => {
  expect(parseMarkdown('## Why *not*\n---\n> said\n```py\nx = 1\n```').map((one) => one.kind)).toEqual(['heading', 'rule', 'quote', 'code']);
});

test('a fence that never ends takes the rest', () => {
  expect(parseMarkdown('```\na\nb')).toEqual([{ kind: 'code', text: 'a\nb' }]);
});

test('lists hold lists', () => {
  const [list] = parseMarkdown('- a\n  - b\n- c') as [Extract<Block, { kind: 'list' }>];
  expect(list.items.length).toBe(2);
  expect(list.items[0]!.map((one) => one.kind)).toEqual(['paragraph', 'list']);
});

test('what is to do has its box', () => {
  const [list] = parseMarkdown('- [x] a\n- [ ] b\n- c') as [Extract<Block, { kind: 'list' }>];
  expect(list.done).toEqual([true, false, null]);
  expect(list.items[0]).toEqual([{ kind: 'paragraph', children: [{ kind: 'text', text: 'a' }] }]);
});

test('a table has its cells, as many in each row, and numbers stand to the right where it says so', () => {
  const cell = (text: string) => (text ? [{ kind: 'text', text }] : []);
  expect(parseMarkdown('before\n| a | b |\n|---|--:|\n| x\\|y | 1 | more |\n| z |\n\nafter').map((block) => block.kind)).toEqual(['paragraph', 'table', 'paragraph']);
  expect(parseMarkdown('| a | b |\n|---|--:|\n| x\\|y | 1 | more |\n| z |')).toEqual([
    { kind: 'table', right: [false, true], head: [cell('a'), cell('b')], rows: [[cell('x|y'), cell('1')], [cell('z'), cell('')]] },
  ]);
  expect(parseMarkdown('a | b\n---|---|---').map((block) => block.kind)).toEqual(['paragraph']);
});

test('an ordered list begins where it says', () => {
  expect(parseMarkdown('3. a\n4. b')).toMatchObject([{ kind: 'list', ordered: true, start: 3 }]);
});

test('strong, em, strike and code may stand in one another', () => {
  expect(parseInline('**a *b* `c*`** ~~d~~')).toEqual([
    { kind: 'strong', children: [text('a '), { kind: 'em', children: [text('b')] }, text(' '), { kind: 'code', text: 'c*' }] },
    text(' '),
    { kind: 'strike', children: [text('d')] },
  ]);
});

test('names with underscores, products and lone stars stay text', () => {
  for (const one of ['train_loss_max', '2 * 3 * 4', 'a ** b', '*', '_', '__init__.py_x', 'a*']) {
    expect(parseInline(one).every((node) => node.kind === 'text' || node.kind === 'strong')).toBe(true);
  }
  expect(parseInline('train_loss_max')).toEqual([text('train_loss_max')]);
});

test('a link leads to http and https only; anything else stays text', () => {
  expect(parseInline('[x](https://a.b/c)')).toEqual([{ kind: 'link', href: 'https://a.b/c', children: [text('x')] }]);
  for (const bad of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', '//evil', 'vbscript:x', '\tjavascript:x', 'file:///etc/passwd']) {
    expect(parseInline(`[x](${bad})`).some((node) => node.kind === 'link')).toBe(false);
    expect(safeAddress(bad)).toBe(null);
  }
});

test('a bare address is a link, without the full stop behind it', () => {
  expect(parseInline('see https://a.b/c.')).toEqual([text('see '), { kind: 'link', href: 'https://a.b/c', children: [text('https://a.b/c')] }, text('.')]);
});

test('HTML and images are text', () => {
  for (const one of ['<img src=x onerror=alert(1)>', "<iframe srcdoc='x'>', '![i](x.png)', '</script><script>', '&lt;b&gt;"]) {
    expect(parseInline(one)).toEqual([text(one)]);
  }
});

test('a picture from elsewhere is a link, never fetched', () => {
  expect(parseInline('![i](https://a.b/x.png)!')).toEqual([{ kind: 'link', href: 'https://a.b/x.png', children: [text('i')] }, text('!')]);
});

test('what is escaped stays text', () => {
  expect(parseInline('\\*a\\* \\[x](y)')).toEqual([text('*a* [x](y)')]);
});

test('hostile nesting ends, and takes no long time', () => {
  parseMarkdown('>'.repeat(5000) + 'x');
  parseMarkdown('- '.repeat(5000) + 'x');
  parseMarkdown('*'.repeat(20_000));
  parseMarkdown('['.repeat(20_000));
  parseMarkdown('**a '.repeat(5_000));
  parseMarkdown('`'.repeat(20_000));
  parseMarkdown('x'.repeat(1_000_000));
});
