import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMasterFile } from '../../../../src/config/stock/master-file.ts';
import { readModule } from '../../../../src/config/stock/module.ts';
import { pythonLiteral } from '../../../../src/config/stock/python-literal.ts';
import { readSource } from '../../../../src/config/stock/source.ts';
import { alternatives, type PyValue } from '../../../../src/config/stock/values.ts';
import { settingOf } from '../../../../src/config/stock/written.ts';

const moduleOf = (text: string | Uint8Array) => readModule(readSource(Buffer.from(text)));

/** A value as JSON would have it; `?` for what is not known. */
function plain(value: PyValue | undefined): unknown {
  switch (value?.kind) {
    case 'string':
    case 'number':
    case 'constant':
      return value.value;
    case 'list':
      return [...value.items.map(plain), ...(value.open ? ['…'] : [])];
    case 'dict':
      return Object.fromEntries([...value.entries].map(([key, one]) => [key, plain(one)]));
    case 'call':
      return { call: value.callee };
    case 'either':
      return { either: alternatives(value).map(plain) };
    case 'unknown':
    case undefined:
      return '?';
  }
}

describe('a Python file that is read and not run', () => {
  it.each([
    [`x = 'a' "b" '''c'''`, 'abc'],
    [`x = ('a'\n  # between\n  'b')`, 'ab'],
    [`x = 'a' \\\n  'b'`, 'ab'],
    [`x = 'a' + "b"`, 'ab'],
    [`x = r'\\:'`, '\\:'],
    [`x = '\\:'`, '\\:'],
    [`x = '\\\\:\\x41\\101\\u00e9\\n'`, '\\:AA\u00e9\n'],
    [`x = 'a\\\nb'`, 'ab'],
    [`x = """a\nb"""`, 'a\nb'],
    [`x = u'\u00fc'`, '\u00fc'],
    [`x = '\\N{DASH}'`, '?'],
    [`x = '\\xg'`, '?'],
    [`p = 9989\nx = f'tcp:{p}:{{}}'`, 'tcp:9989:{}'],
    [`x = f'tcp:{os.getpid()}'`, '?'],
    [`x = 'tcp:%d' % 9989`, '?'],
    [`x = 'tcp:{}'.format(9989)`, '?'],
    ['x = 1_000', 1000],
    ['x = 0x10', 16],
    ['x = -1', -1],
    ['x = None', null],
    ['x = (1, 2,)', [1, 2]],
    ['x = 1, 2', [1, 2]],
    ['x = {"a": [True], "b": dict(c=1)}', { a: [true], b: { c: 1 } }],
    ['y = 5\nx = y', 5],
    ['y = {"a": 5}\nx = y["a"]', 5],
    ['a = b = {}\nb["k"] = 1\nx = a', { k: 1 }],
    ['x = []\nx.append(1)\nx += [2]', [1, 2]],
    ['x = [i for i in y]', ['?']],
    ['x = 1\nif os.environ:\n    x = 2', { either: [1, 2] }],
    ['x = 1\nif os.environ: x = 2', { either: [1, 2] }],
    ['x = 1\ndef f():\n    x = 2', 1],
    ['x = 1; x = 2', 2],
    ['x: int = 3', 3],
    ['x, y = 1, 2', '?'],
    ['x = 1\nx, y = f()', '?'],
    ['x = lambda a: a', '?'],
    ['x = a if b else "c"', '?'],
    ['x = str(9989)', '9989'],
    ['x = worker.Worker("a", "b")', { call: 'worker.Worker' }],
    ['x = 0777', '?'],
    ['\ufeffx = 1', 1],
    ['x = 1\r\ny = 2\r\n', 1],
  ])('%j', (text, expected) => {
    expect(plain(moduleOf(text).names.get('x'))).toEqual(expected);
  });

  it.each([
    ["x = 'abc", 'a text that does not end on its line', 4],
    ["x = '''abc\n\n", 'a text in triple quotes that never ends', 4],
    ['x = (1,\n', '"(" that is never closed', 4],
    ['x = 1]', '"]" closes nothing that is open', 5],
    ['x = 1 ? 2', '"?", which has no meaning in Python here', 6],
    ['x = "a\0b"', 'a NUL byte, which Python refuses; is the file UTF-16?', 6],
    [Buffer.from('y = 1\nx = "\xfc"\n', 'latin1'), 'bytes that are not UTF-8, which Python refuses', 6],
  ])('says where Python would refuse %j', (text, problem, at) => {
    expect(moduleOf(text).trouble).toEqual({ problem, at });
  });

  it('takes the encoding that a file names', () => {
    const module = moduleOf(Buffer.from('# -*- coding: latin-1 -*-\nx = "\xfc"\n', 'latin1'));
    expect(module.trouble).toBeUndefined();
    expect(plain(module.names.get('x'))).toBe('\u00fc');
  });

  it('knows the place of a value, in characters, and shows no other text of its line', () => {
    const module = moduleOf(`x = 1\ny = {'\u00fc': 'hunter2', 'port': 'tcp:1'}  # s3cret\n`);
    const dict = module.names.get('y');
    const setting = settingOf(module, dict?.kind === 'dict' ? dict.entries.get('port') : undefined);
    expect(setting.written[0]).toMatchObject({ line: 2, column: 30, value: 'tcp:1' });
    expect(setting.written[0]?.excerpt).toEqual([
      `2 | y = {'\u00fc': *********, 'port': 'tcp:1'}`,
      '  |                              ^^^^^^^',
    ]);
  });

  it('finds its end with any bytes, and soon', () => {
    const piece = fc.constantFrom(
      ...[
        "'",
        '"',
        "'''",
        '"""',
        '\\',
        '\n',
        '\r\n',
        ' ',
        '    ',
        '(',
        ')',
        '[',
        ']',
        '{',
        '}',
        ',',
        ':',
        '=',
        '+',
        ';',
      ],
      ...[
        'c',
        'x',
        'r',
        'f',
        'b',
        '1',
        '0x',
        '#',
        'if',
        'def',
        'lambda',
        '*',
        '**',
        '.',
        'append',
        '%',
        '\0',
        '\xff',
        '+=',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), (pieces) => {
        const module = moduleOf(Buffer.from(pieces.join(''), 'latin1'));
        readMasterFile(module);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['brackets', '['.repeat(300_000)],
    ['closed brackets', `x = ${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['characters in one text', `x = '${'a'.repeat(1_000_000)}`],
    ['texts side by side', `x = ${"'a' ".repeat(200_000)}`],
    ['texts that are added', `x = ${"'a' + ".repeat(100_000)}'a'`],
    ['lists that double', `x = [1]\n${'x += x\n'.repeat(200)}`],
    ['lists that are added', `x = [1]\n${'x = x + x\n'.repeat(200)}`],
    ['names under conditions', `x = 1\n${'if a: x = 2\n'.repeat(50_000)}`],
    ['keys of keys', `x${'[0]'.repeat(100_000)} = 1`],
    ['unknown items', `x = [${'a + 1, '.repeat(100_000)}]`],
    ['attributes', `x = a${'.b'.repeat(200_000)}`],
    ['backslashes', '\\'.repeat(500_000)],
    ['signs', `x = ${'-'.repeat(300_000)}1`],
    ['calls of calls', `x = ${'f('.repeat(100_000)}`],
  ])('ends soon with very many %s', (_what, text) => {
    // Time that grows with the square would be hours: the test's own limit meets that.
    expect(readMasterFile(moduleOf(text)).listeners).toEqual([]);
  });
});

describe('pythonLiteral', () => {
  it('reads back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\\', "'", '"', ':', 'a', '\n', '=') }), (text) => {
        expect(plain(moduleOf(`x = ${pythonLiteral(text)}`).names.get('x'))).toBe(text);
      }),
    );
  });
});
