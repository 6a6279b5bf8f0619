import { describe, expect, it } from 'vitest';
import type { DirectoryFacts } from '../../../src/diagnostics/directory.ts';
import { namesThatLeadHere } from '../../../src/diagnostics/own-names.ts';
import { parseAddress } from '../../../src/net/endpoint/address.ts';
import { host, name, reply } from './recorded.ts';

const role = { dir: '/farm/master', shown: 'master', problems: [], failure: undefined, pin: undefined };
const worker = {
  ...role,
  running: false,
  pins: [],
  config: { name: 'w1', master: [parseAddress('Ci.example:9989')] },
} as unknown as NonNullable<DirectoryFacts['worker']>;
const stopped = { ...role, running: false, config: undefined };

describe("names by which a worker finds this very host's master", () => {
  it.each([
    { what: 'its address of each family', A: ['11.0.0.2'], AAAA: ['2a00:1::2'], found: ['ci.example'] },
    { what: 'loopback, as Debian writes it', A: ['127.0.1.1'], AAAA: [], found: ['ci.example'] },
    { what: 'another host', A: ['11.0.0.9'], AAAA: [], found: [] },
    { what: 'this host and another one', A: ['11.0.0.2'], AAAA: ['2a00:1::9'], found: [] },
    { what: 'nothing', A: [], AAAA: [], found: [] },
  ])('$what: $found', async ({ A, AAAA, found }) => {
    const lookUp = () => Promise.resolve(name('ci.example', reply('answer', A), reply('answer', AAAA)));
    for (const directory of [
      { master: stopped, worker, beside: undefined },
      { master: undefined, worker, beside: stopped },
    ])
      expect(await namesThatLeadHere(directory, host(), lookUp)).toEqual(found);
  });

  it('are not looked up while the master runs, or stands elsewhere', async () => {
    const lookUp = () => Promise.reject(new Error('nobody asked'));
    const running = { master: { ...stopped, running: true }, worker, beside: undefined };
    expect(await namesThatLeadHere(running, host(), lookUp)).toEqual([]);
    expect(await namesThatLeadHere({ master: undefined, worker, beside: undefined }, host(), lookUp)).toEqual(
      [],
    );
  });
});
