import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FRAME_HEADER_BYTES } from '../../../../src/protocol/bbx/codec.ts';
import { EXPORTER_LABEL } from '../../../../src/protocol/bbx/keys.ts';
import { LIMITS } from '../../../../src/protocol/bbx/limits.ts';
import { masterMessage, refusal, workerMessage } from '../../../../src/protocol/bbx/messages.ts';
import { CLOSE, WORKER_SUBPROTOCOL } from '../../../../src/protocol/bbx/wire.ts';

const page = readFileSync(new URL('../../../../docs/protocol.md', import.meta.url), 'utf8');

/** The rows of the first table under a heading, as cells. */
function table(heading: string): string[][] {
  const after = page.split(new RegExp(`^#+ ${heading}$`, 'm'))[1] ?? '';
  const lines = /(?:^\|.*\n)+/m.exec(after)?.[0].trim().split('\n') ?? [];
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

const typesOf = (union: { options: readonly { shape: { type: { value: string } } }[] }) =>
  union.options.map((option) => option.shape.type.value);

describe('docs/protocol.md', () => {
  it('has every limit with its number, and no other', () => {
    const rows = table('Limits').map(([name, value]) => [name, Number(value)]);
    expect(Object.fromEntries(rows)).toEqual(LIMITS);
  });

  it.each([
    ['Messages of the worker', typesOf(workerMessage)],
    ['Messages of the master', typesOf(masterMessage)],
  ])('has under "%s" exactly the messages of the code', (heading, types) => {
    expect(
      table(heading)
        .map(([type]) => type)
        .toSorted(),
    ).toEqual(types.toSorted());
  });

  it('names every field of every message', () => {
    const leaseAndType = new Set(['type', 'build', 'token', 'step', 'log']);
    for (const option of [...workerMessage.options, ...masterMessage.options]) {
      const type = option.shape.type.value;
      const words = [...table('Messages of the worker'), ...table('Messages of the master')]
        .filter(([name]) => name === type)
        .map(([, text]) => text)
        .join(' ');
      for (const field of Object.keys(option.shape)) {
        if (leaseAndType.has(field) || ['drop', 'cancel', 'abandoned', 'bye'].includes(type)) continue;
        expect(words, `${type}.${field}`).toMatch(new RegExp(`\\b${field}\\b`));
      }
    }
  });

  it('has the closing codes of the code', () => {
    const rows = table('Closing codes').filter(([, name]) => name !== '–');
    expect(Object.fromEntries(rows.map(([code, name]) => [name, Number(code)]))).toEqual(CLOSE);
  });

  it('names reasons, label, subprotocol and the frame’s header', () => {
    for (const reason of refusal.shape.reason.options) expect(page).toContain(`\`${reason}\``);
    expect(page).toContain(EXPORTER_LABEL);
    expect(page).toContain(`\`${WORKER_SUBPROTOCOL}\``);
    expect(page).toContain(`| ${FRAME_HEADER_BYTES}– |`);
  });
});
