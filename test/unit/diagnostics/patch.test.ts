import { describe, expect, it } from 'vitest';
import type { TextEdit } from '../../../src/diagnostics/fixes.ts';
import { edited, modePatch, patchOf } from '../../../src/diagnostics/patch.ts';

const TEXT = 'one: ä\r\ntwo: ::1:9989 # two\r\nthree: x\r\nlast';
const change = (...edits: TextEdit[]) => ({ file: '/f', shown: 'f.yaml', edits });

describe('edits of a file', () => {
  it('change their places and leave every other byte as it is', () => {
    const bytes = Buffer.concat([Buffer.from(TEXT), Buffer.from([0xff, 0x0a])]);
    const result = edited(bytes, [
      { at: { line: 2, column: 6 }, was: '::1:9989', becomes: '"[::1]:9989"' },
      { at: 0, was: 'one', becomes: 'eins' },
    ]);
    expect(result?.toString('latin1')).toBe(
      bytes.toString('latin1').replace('::1:9989', '"[::1]:9989"').replace('one', 'eins'),
    );
  });

  it('count columns in characters and offsets in bytes', () => {
    const bytes = Buffer.from('ä: b\n');
    const wanted = 'ä: c\n';
    expect(edited(bytes, [{ at: { line: 1, column: 4 }, was: 'b', becomes: 'c' }])?.toString()).toBe(wanted);
    expect(edited(bytes, [{ at: 4, was: 'b', becomes: 'c' }])?.toString()).toBe(wanted);
  });

  it.each<[string, TextEdit[]]>([
    ['the file has changed', [{ at: 0, was: 'two', becomes: 'x' }]],
    ['there is no such line', [{ at: { line: 99, column: 1 }, was: 'one', becomes: 'x' }]],
    ['the place lies behind the end', [{ at: 1_000, was: 'one', becomes: 'x' }]],
    [
      'two touch the same place',
      [
        { at: 0, was: 'one: ', becomes: 'x' },
        { at: 3, was: ': ', becomes: 'y' },
      ],
    ],
    [
      'two want different things',
      [
        { at: 0, was: 'one', becomes: 'x' },
        { at: 0, was: 'one', becomes: 'y' },
      ],
    ],
  ])('are not made when %s', (_title, edits) => {
    expect(edited(Buffer.from(TEXT), edits)).toBeUndefined();
    expect(patchOf(change(...edits), Buffer.from(TEXT))).toBeUndefined();
  });

  it('are made once where two findings want the same', () => {
    const edit = { at: 0, was: 'one', becomes: 'x' };
    expect(edited(Buffer.from(TEXT), [edit, edit])?.toString()).toBe(TEXT.replace('one', 'x'));
  });

  it('are shown as a unified diff of their lines', () => {
    const patch = patchOf(
      change(
        { at: { line: 4, column: 1 }, was: 'last', becomes: 'end' },
        { at: { line: 2, column: 1 }, was: 'two', becomes: 'zwei\r\ndrei' },
        { at: { line: 2, column: 6 }, was: '::1', becomes: '[::1]' },
      ),
      Buffer.from(TEXT),
    );
    expect(patch?.split('\n')).toEqual([
      ...[
        '--- f.yaml',
        '+++ f.yaml',
        '@@ -2,1 +2,2 @@',
        '-two: ::1:9989 # two',
        '+zwei',
        '+drei: [::1]:9989 # two',
      ],
      ...['@@ -4,1 +5,1 @@', '-last', '+end'],
    ]);
  });

  it('of a mode are the two modes', () => {
    expect(modePatch({ file: '/k', shown: 'k', mode: 0o600 }, 0o100644)).toBe(
      '--- k\n+++ k\nold mode 100644\nnew mode 100600',
    );
  });
});
