import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { editText } from '../../../src/config/edit.ts';
import { parseKeyPath, valueAt, type KeyPath } from '../../../src/config/key-path.ts';
import { printKeyPath } from '../../../src/config/problem.ts';

const TEXT = `# first
title: Farm   # mine
listen: { workers: "[::]:9989", web: localhost:8010 } # both

builders:
  # the app
  app:
    steps:
      - run: make # all
        timeout: 5m
      - run: make test
retention: { logs: 90d, builds: 1000 }
workers: {}
schedulers:
# last
`;

describe('editText', () => {
  it.each<[what: string, key: string, value: unknown, from: string, to: string]>([
    ['a scalar', 'title', 'Other', 'title: Farm ', 'title: Other '],
    ['a scalar that needs quotes', 'title', '[::]:1', 'title: Farm ', 'title: "[::]:1" '],
    ['a scalar in a flow mapping', 'retention.builds', 5, 'builds: 1000', 'builds: 5'],
    ['a scalar in a list', 'builders.app.steps[1].run', 'a: b', 'run: make test', 'run: "a: b"'],
    [
      'a new key of a block',
      'builders.app.repository',
      'r',
      '      - run: make test\n',
      '      - run: make test\n    repository: r\n',
    ],
    [
      'a new key of a step',
      'builders.app.steps.0.maxTime',
      '1h',
      '        timeout: 5m\n',
      '        timeout: 5m\n        maxTime: 1h\n',
    ],
    ['a new top key', 'url', 'x', '# last\n', '# last\n\nurl: x\n'],
    [
      'a key in an empty flow mapping',
      'workers.w',
      { tags: ['a'] },
      'workers: {}',
      'workers: { w: { tags: [a] } }',
    ],
    ['a key below nothing', 'schedulers.s', { a: 1 }, 'schedulers:\n', 'schedulers: { s: { a: 1 } }\n'],
    ['a removed key', 'builders.app.steps[0].timeout', undefined, '        timeout: 5m\n', ''],
    [
      'a removed table',
      'builders',
      undefined,
      TEXT.slice(TEXT.indexOf('builders:'), TEXT.indexOf('retention:')),
      '',
    ],
    ['a key below a table that is not there', 'retentions.logs.x', undefined, '', ''],
    ['what is there already', 'title', 'Farm', '', ''],
  ])('changes %s and nothing else', (_, key, value, from, to) => {
    expect(editText(TEXT, [{ path: parseKeyPath(key), value }])).toBe(TEXT.replace(from, to));
  });

  it('keeps every comment even where the document is printed anew', () => {
    const after = editText(TEXT, [{ path: ['builders', 'app', 'steps', 2], value: { run: 'x' } }]);
    for (const comment of ['# first', '# mine', '# both', '# the app', '# all', '# last'])
      expect(after).toContain(comment);
  });

  it('makes a file out of nothing', () => {
    expect(editText('', [{ path: ['listen', 'web'], value: 'localhost:1' }])).toBe(
      'listen:\n  web: localhost:1\n',
    );
  });

  it.each([
    [['title', 'x'], '"title" is a single value, which has no keys'],
    [['builders', 'app', 'steps', 9], '"9" is not an entry of a list of 2 (0 is the first, 2 adds one)'],
    [['builders', 'app', 'steps', 'x'], '"x" is not an entry of a list of 2 (0 is the first, 2 adds one)'],
  ] as [KeyPath, string][])('refuses the key %j', (path, problem) => {
    expect(() => editText(TEXT, [{ path, value: 1 }])).toThrow(problem);
  });

  it('gives exactly the wanted data, whatever the value', () => {
    const key = fc.constantFrom(
      'title',
      'listen.web',
      'builders.app',
      'builders.app.steps[0].env',
      'builders.b.steps',
      'retention',
      'workers.w',
      'schedulers.s',
      'new.key',
    );
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string(), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b c', 'x:y'), fc.string(), { maxKeys: 3, noNullPrototype: true }),
    );
    fc.assert(
      fc.property(key, value, (name, wanted) => {
        const path = parseKeyPath(name);
        const after = parse(editText(TEXT, [{ path, value: wanted }])) as unknown;
        expect(valueAt(after, path)).toEqual(wanted);
        expect(valueAt(after, ['builders', 'app']) === undefined).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseKeyPath', () => {
  it('reads back what printKeyPath prints', () => {
    const part = fc.oneof(fc.string({ minLength: 1 }), fc.nat({ max: 999 }));
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.array(part, { maxLength: 5 }), (first, rest) => {
        const path = [first, ...rest];
        expect(parseKeyPath(printKeyPath(path))).toEqual(path);
      }),
    );
  });

  it.each(['', '.', 'a.', 'a..b', '.a', 'a[', 'a[x]', 'a["]', 'a]b', 'a[0]b', `a${'.a'.repeat(30)}`])(
    'refuses %j',
    (text) => {
      expect(() => parseKeyPath(text)).toThrow(/Cannot use the key/);
    },
  );
});
