import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { BbxError } from '../../../src/base/error.ts';
import { report } from '../../../src/commands/terminal/exit.ts';
import type { Context } from '../../../src/commands/terminal/context.ts';

function printed(message: string, terminal: { isTTY?: boolean; columns?: number }): string {
  const stderr = Object.assign(new PassThrough(), terminal);
  const context = { stderr, json: false, signal: new AbortController().signal } as unknown as Context;
  const hint = 'Stop the other program: ss -ltnp sport = :9989';
  report(new BbxError({ code: 'BBX-TEST', message, hint, exit: 8 }), context);
  return String(stderr.read());
}

const MESSAGE = `Cannot listen on "[::]:9989": the address is in use
farm/master.yaml:8:3: must be text or a list
    8 |   workers: {a line of the file, which is longer than the terminal}
      |   ^~~~~~~`;

describe('an error', () => {
  it('is broken between words at a terminal, but for lines of a file, and the command to run', () => {
    expect(printed(MESSAGE, { isTTY: true, columns: 40 })).toMatchInlineSnapshot(`
      "bbx: Cannot listen on "[::]:9989":
           the address is in use
      farm/master.yaml:8:3: must be text
           or a list
          8 |   workers: {a line of the file, which is longer than the terminal}
            |   ^~~~~~~
           Stop the other program: ss -ltnp sport = :9989
      "
    `);
  });

  it('is as it is where no terminal is', () => {
    expect(printed(MESSAGE, {})).toContain(`bbx: ${MESSAGE}\n`);
  });
});
