import { describe, expect, it } from 'vitest';
import type { LastEnd } from '../../../../src/runtime/worker/keeper/last-end.ts';
import { knownEndPort } from '../../../../src/runtime/worker/known-end-port.ts';
import { dummyPort } from '../../../rigs/dummy-port.ts';

const last: LastEnd = {
  ...{ step: 1, turns: 1, boot: 'this', seconds: 100 },
  end: { ended: 'exit', rc: 3, signal: null, leftovers: 0, alive: [], tookMs: 8_200 },
};
const command = {
  ...({ kind: 'shell', command: 'make', env: {}, workdir: '.' } as const),
  ...{ timeoutMs: null, maxTimeMs: null, sigtermTimeMs: 5_000 },
};

async function run(host: string, step = 1, known = last, said: string[] = []) {
  const port = knownEndPort(dummyPort([{ rc: 7 }]), known, { host, seconds: () => 160 });
  return port.run(command, {
    signal: new AbortController().signal,
    onOutput: (channel, bytes) => void said.push(`${channel} ${Buffer.from(bytes).toString()}`),
    into: { step, log: { id: 0, name: 'stdio' } },
  });
}

describe('a command whose end a keeper has left on the disk', () => {
  it('has that end, how long it ran, and how long ago it ended', async () => {
    expect(await run('this')).toMatchObject({ rc: 3, tookMs: 8_200, agoMs: 60_000 });
  });

  it('ended nobody knows when, in another run of the machine', async () => {
    expect(await run('other')).toMatchObject({ rc: 3, tookMs: 8_200, agoMs: undefined });
  });

  it.each([
    [undefined, ['header processes that could not be ended: 17\n']],
    [true, []],
  ])('has its last words said unless the keeper has said them (%o)', async (told, words) => {
    const said: string[] = [];
    const known = { ...last, end: { ...last.end, alive: [17], told } };
    expect(await run('this', 1, known, said)).toMatchObject({ rc: 3, told });
    expect(said).toEqual(words);
  });

  it('is no other step’s', async () => {
    expect(await run('this', 2)).toEqual({ ended: 'exit', rc: 7, signal: null });
  });
});
