import { expect, test } from 'vitest';
import { againCommand, commandText, quoted } from './command';

test('a word is quoted where a shell would read it otherwise', () => {
  expect(['a-b/c.py', 'lr=1e-3', 'a b', "it's", '$(touch x)', '', '`id`'].map(quoted)).toEqual([
    'a-b/c.py', 'lr=1e-3', "'a b'", "'it'\\''s'", "'$(touch x)'", "''", "'`id`'",
  ]); // prettier-ignore
});

test('a captured line is shown as one may type it', () => {
  expect(commandText(['python', 'train.py', '--name', 'a b'])).toBe("python train.py --name 'a b'");
  expect(commandText(undefined)).toBe('');
});

test('a script that runfolio ran is run with the same words', () => {
  expect(againCommand(['/x/bin/python', '/x/bin/runfolio', 'run', 'train.py', '-p', 'lr=0.1', '-n', 'a b'])).toBe("runfolio run train.py -p lr=0.1 -n 'a b'");
  expect(againCommand(['/x/bin/python3.12', '-m', 'runfolio', 'run', 't.py'])).toBe('runfolio run t.py');
});

test('a script that Python ran is given to runfolio', () => {
  expect(againCommand(['/usr/bin/python3', '-u', '-X', 'dev', 'train.py', '--lr', '0.1'])).toBe('runfolio run train.py --lr 0.1');
  expect(againCommand(['python', '-m', 'pkg.train', '--lr', '1'])).toBe('runfolio run -m pkg.train --lr 1');
});

test('what cannot be run again gives no command', () => {
  for (const words of [['python', '-c', 'x'], ['python'], [], ['python', '-'], ['/bin/sh', 'x'], ['python', '/x/bin/runfolio', 'ui'], ['python', 't.py', '--token=***']]) {
    expect(againCommand(words)).toBe(null);
  }
});
