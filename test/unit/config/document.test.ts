import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDocument } from '../../../src/config/document.ts';
import { printProblem, visible } from '../../../src/config/problem.ts';
import { examineMaster, examineWorker, lines } from './examine.ts';

describe('readDocument', () => {
  it.each<[what: string, text: string | Uint8Array, problem: string]>([
    ['a tab', 'listen:\n\tweb: x\n', '2:1 a tab is used to indent [use spaces]'],
    [
      'a key twice',
      'title: a\ntitle: b\n',
      '2:1 this key stands here twice [remove one of the two, or merge them]',
    ],
    [
      'two documents',
      'title: a\n---\ntitle: b\n',
      '2:1 a second document begins here [remove "---": a file holds one configuration]',
    ],
    [
      'a tag',
      'title: !!js/function x\n',
      '1:8 tags (words with "!") are not used here [put the text in quotes, or remove the tag]',
    ],
    [
      'an alias of nothing',
      'title: *here\n',
      '1:8 no anchor of this name stands before it [put a text that begins with "*" in quotes]',
    ],
    [
      'an alias in itself',
      'reach: &a [*a]\n',
      '1:12 this alias stands inside its own anchor [write the value out]',
    ],
    [
      'an address in brackets without quotes',
      'listen:\n  workers: [::]:9990 # all\n',
      '2:12 an address in brackets is a list to YAML [put it in quotes: "[::]:9990"]',
    ],
    [
      'one in a list of addresses, with a zone',
      'master:\n  - "[::1]:9989"\n  - [fe80::1%eth0]:9989\n',
      '3:5 an address in brackets is a list to YAML [put it in quotes: "[fe80::1%eth0]:9989"]',
    ],
    ['a list with something behind it', 'a: [x] y\n', '1:8 unexpected scalar at node end'],
    ['a key that is a list', '? [a]\n: 1\n', '1:3 a key must be text [write a word before the colon]'],
    [
      'two colons',
      'title: a: b\n',
      '1:8 a second ": " in one line [put the text in quotes, or continue in the next line, indented]',
    ],
    [
      'bytes that are not UTF-8',
      Buffer.from('title: a\nurl: \xff\n', 'latin1'),
      '2:6 these bytes are not UTF-8 [save the file as UTF-8]',
    ],
    [
      'more than a megabyte',
      Buffer.alloc(2 ** 20 + 1, 0x20),
      'null:null is 1048577 bytes long: more than 1048576 are not read',
    ],
  ])('says where %s stands', (_, text, problem) => {
    expect(lines(readDocument(text, 'x').problems)).toContain(problem);
  });

  it('refuses aliases that grow without bound', () => {
    const names = [...'abcdefghij'];
    const bomb = names.map(
      (name, i) =>
        `${name}: &${name} [${
          i === 0
            ? 'x'
            : Array(9)
                .fill(`*${names[i - 1]}`)
                .join(', ')
        }]`,
    );
    const { problems, value } = readDocument(bomb.join('\n'), 'x');
    expect(value).toBeUndefined();
    expect(problems[0]?.message).toMatch(/alias/i);
  });

  it.each(['[', '{a: ', '- ', '!', '&a ', '"'])('survives %j a hundred thousand times', (piece) => {
    expect(readDocument(piece.repeat(100_000), 'x').problems.length).toBeGreaterThan(0);
  });

  it('goes on after a key that stands twice, so that other mistakes are told too', async () => {
    const { problems } = await examineMaster('title: a\ntitle: b\nstoer: x\n');
    expect(problems.map(({ message }) => message)).toEqual([
      'this key stands here twice',
      'unknown key "stoer"; did you mean "store"?',
    ]);
  });

  it('never crashes, whatever the text', async () => {
    const word = fc.constantFrom(
      'builders',
      'steps',
      'run',
      'git',
      'workers',
      'listen',
      '__proto__',
      'constructor',
      'env',
      'a',
      '${{ x',
      '*',
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        word,
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(word, tie('any'), { maxKeys: 4, noNullPrototype: false }),
      ),
    })).any;
    const piece = fc.oneof(
      word,
      fc.constantFrom(
        ': ',
        '\n',
        '\n  ',
        '- ',
        '[',
        ']',
        '{',
        '}',
        '"',
        "'",
        '&a ',
        '*a',
        '\t',
        '#',
        '|\n',
        '? ',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    const text = fc.oneof(
      value.map((data) => JSON.stringify(data)),
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      fc.uint8Array({ maxLength: 100 }),
    );
    await fc.assert(
      fc.asyncProperty(text, async (bytes) => {
        for (const { config, problems } of [await examineMaster(bytes), await examineWorker(bytes)]) {
          expect(config === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
          problems.forEach((problem) =>
            expect(printProblem(problem)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/),
          );
        }
      }),
      { numRuns: 400 },
    );
    expect(({} as Record<string, unknown>)['steps']).toBeUndefined();
  });
});

describe('printProblem', () => {
  it('shows the line with a caret under the wrong text', async () => {
    const { problems } = await examineMaster(
      'builders:\n  app:\n    steps:\n      - run: make\n        timeot: 5m\n',
    );
    expect(problems.map(printProblem).join('\n')).toBe(
      [
        'master.yaml:5:9: unknown key "timeot"; did you mean "timeout"?',
        '    5 |         timeot: 5m',
        '      |         ^~~~~~',
      ].join('\n'),
    );
  });

  it.each([
    'store: postgres://u:geheim@h/d',
    'store: mysql://u:geheim@h/d',
    'repositories: { r: { git: "https://me:geheim@host/x" } }',
  ])('shows no password: %s', async (text) => {
    const { problems } = await examineMaster(text);
    expect(problems).not.toEqual([]);
    expect(JSON.stringify(problems) + problems.map(printProblem).join('\n')).not.toContain('geheim');
  });

  it('makes a terminal safe from the text of a file', () => {
    expect(visible('a\u001b[2Jb\u202ec\td')).toBe('a\ufffd[2Jb\ufffdc d');
  });

  it('cuts a line of a megabyte', async () => {
    const { problems } = await examineMaster(`{ "title": "${'x'.repeat(500_000)}", "titel": 1 }`);
    expect(Math.max(...problems.map((problem) => printProblem(problem).length))).toBeLessThan(1_000);
  });
});
