import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { facts, table } from '../../../src/commands/terminal/print.ts';
import { printable } from '../../../src/commands/terminal/printable.ts';
import { span } from '../../../src/commands/terminal/span.ts';
import { createTerminalFilter } from '../../../src/commands/terminal/terminal-filter.ts';
import { exitOfResult } from '../../../src/commands/build-follow.ts';
import { RESULTS } from '../../../src/build/results.ts';
import fc from 'fast-check';

/** Where things are printed to: a terminal of so many columns. */
const terminal = (columns: number) =>
  ({ stdout: { isTTY: true, columns }, color: false }) as unknown as Parameters<typeof table>[0];

describe('a table at a terminal', () => {
  const columns = [
    { heading: 'ABOUT', value: ([about]: readonly string[]) => about ?? '' },
    { heading: 'REASON', value: ([, reason]: readonly string[]) => reason ?? '' },
    { heading: 'SINCE', value: () => '2 min ago' },
  ];
  const rows = [
    ['link', 'lost for 4.4 s: the worker was started again; nothing lost'],
    ['end', 'success'],
  ];

  it('is as wide as that, its widest column broken between words', () => {
    expect(table(terminal(50), columns, rows)).toMatchInlineSnapshot(`
      "ABOUT  REASON                            SINCE
      link   lost for 4.4 s: the worker was    2 min ago
             started again; nothing lost
      end    success                           2 min ago"
    `);
  });

  it('is one line a row where there is room, or no width is told', () => {
    for (const width of [200, 0]) expect(table(terminal(width), columns, rows).split('\n')).toHaveLength(3);
  });

  it('shares what there is between two long columns', () => {
    const long = 'word '.repeat(20).trim();
    const lines = table(terminal(60), columns, [[long, long]]).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('keeps a word whole that is wider than the terminal, so that it can be copied', () => {
    const path = `/srv/${'x'.repeat(60)}`;
    expect(table(terminal(40), columns, [['file', `see ${path} now`]])).toContain(path);
  });
});

describe('a table at a terminal that is too narrow for it', () => {
  const columns = ['NAME', 'FROM', 'NOTES'].map((heading, index) => ({
    heading,
    value: (row: readonly string[]) => row[index] ?? '',
  }));
  const from = '[2001:db8:1234:5678:9abc:def0:1234:5678]:54321';
  const notes = 'the disk of its workspaces is nearly full, and its clock is 3 min behind';
  const rows = [
    ['linux-1', from, notes],
    ['linux-2', '-', ''],
  ];

  it('keeps its headings over their columns: who has long words does not give way', () => {
    expect(table(terminal(80), columns, rows)).toMatchInlineSnapshot(`
      "NAME     FROM                                            NOTES
      linux-1  [2001:db8:1234:5678:9abc:def0:1234:5678]:54321  the disk of its
                                                               workspaces is nearly
                                                               full, and its clock is
                                                               3 min behind
      linux-2  -"
    `);
  });

  it('is left to the terminal where it cannot fit', () => {
    const lines = table(terminal(60), columns, rows).split('\n');
    expect(lines).toHaveLength(3);
    for (const [index, text] of ['NOTES', notes].entries()) expect(lines[index]?.indexOf(text)).toBe(57);
  });

  it('breaks no cell that has colours, nor takes their room', () => {
    const red = `\u001b[31m${'stopped for good since noon'}\u001b[39m`;
    const lines = table(terminal(60), columns, [['linux-1', red, notes]]).split('\n');
    const heads = lines[0]!;
    expect(lines[1]).toContain(red);
    expect(stripVTControlCharacters(lines[1]!).indexOf('the disk')).toBe(heads.indexOf('NOTES'));
    for (const line of lines) expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(60);
  });

  it('never breaks a command', () => {
    const why = 'it takes nothing new until its process starts again, or until: bbx worker resume linux-1';
    for (let width = 40; width < 120; width += 1) {
      expect(table(terminal(width), columns, [['w', why, '']])).toContain('bbx worker resume linux-1');
      expect(facts(terminal(width), [['reason', why]])).toContain('bbx worker resume linux-1');
    }
  });
});

describe('facts at a terminal', () => {
  it('of several lines have each below where the first begins', () => {
    expect(facts(terminal(30), [['said', 'the first line is long enough\nand two']])).toBe(
      'said  the first line is long\n      enough\n      and two',
    );
  });

  it('have what is long below where it begins', () => {
    expect(
      facts(terminal(30), [
        ['link', 'lost 12:03:11, back 12:03:13'],
        ['key', 'abc'],
      ]),
    ).toBe('link  lost 12:03:11, back\n      12:03:13\nkey   abc');
  });
});

describe('a length of time', () => {
  it.each([
    [-1, '0.0 s'],
    [0.04, '0.0 s'],
    [3.24, '3.2 s'],
    [9.96, '10 s'],
    [59.6, '1 min'],
    [185, '3 min 5 s'],
    [3_600, '1 h'],
    [7_800, '2 h 10 min'],
    [90_000, '1 d 1 h'],
  ])('of %d s reads %s', (seconds, words) => {
    expect(span(seconds)).toBe(words);
  });
});

describe('text of a peer', () => {
  it('has its control characters written out, at any depth, and nothing else changed', () => {
    expect(
      printable({ name: 'a\u001b[2Jb', list: ['\u009b', 'zwölf ✓\n\t', 7, null], ok: true, flip: '\u202e' }),
    ).toEqual({ name: 'a\\x1b[2Jb', list: ['\\x9b', 'zwölf ✓\n\t', 7, null], ok: true, flip: '\\u202e' });
  });
});

describe('a log at a terminal', () => {
  const filtered = (text: string) => Buffer.from(createTerminalFilter().push(Buffer.from(text))).toString();

  it.each([
    ['plain text', 'zwölf\r\n\ttab\b', 'zwölf\r\n\ttab\b'],
    ['colours', '\u001b[1;31mred\u001b[0m', '\u001b[1;31mred\u001b[0m'],
    ['no clearing', 'a\u001b[2Jb\u001b[10;10Hc', 'abc'],
    ['no title', 'a\u001b]0;evil\u0007b', 'ab'],
    ['no clipboard', 'a\u001b]52;c;ZXZpbA==\u001b\\b', 'ab'],
    ['no device string', 'a\u001bPq...\u001b\\b', 'ab'],
    ['no bell, no shift', 'a\u0007\u000eb', 'ab'],
    ['no reset', 'a\u001bcb', 'ab'],
    ['no charset', 'a\u001b(0b', 'ab'],
    ['lines after a sequence without end', '\u001b]0;x\nnext', '\nnext'],
    ['no endless colour', `\u001b[${'1;'.repeat(100)}mx`, 'x'],
  ])('passes %s', (_, text, expected) => {
    expect(filtered(text)).toBe(expected);
  });

  it('comes to the same wherever it is cut', () => {
    const alphabet = fc.constantFrom('\u001b', '[', ']', '3', 'm', 'J', '\n', '\\', '\u0007', 'P', ';', 'x');
    fc.assert(
      fc.property(fc.array(alphabet), fc.nat(40), (letters, at) => {
        const bytes = Buffer.from(letters.join(''));
        const whole = createTerminalFilter().push(bytes);
        const parts = createTerminalFilter();
        const cut = Math.min(at, bytes.length);
        const pieces = [parts.push(bytes.subarray(0, cut)), parts.push(bytes.subarray(cut))];
        expect(Buffer.concat(pieces)).toEqual(Buffer.from(whole));
        expect(Buffer.from(whole).toString()).not.toMatch(/\u001b(?!\[[0-9;]*m)/);
      }),
    );
  });
});

describe('the exit code of a build', () => {
  it.each(RESULTS.map((result, index) => [result, [0, 0, 1, 0, 11, 11, 9][index]] as const))(
    'that ended %s is %d',
    (result, code) => {
      expect(exitOfResult(result)).toBe(code);
    },
  );

  it('that did not end is "unknown"', () => {
    expect(exitOfResult(null)).toBe(12);
  });
});
