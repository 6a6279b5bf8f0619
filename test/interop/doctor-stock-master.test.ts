import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx } from '../rigs/bbx.ts';
import { has } from '../rigs/debian.ts';
import { freePort, startFarm } from '../rigs/farm.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { makeStockMaster, makeTemplate, startStock, stockConfig } from '../rigs/stock-buildbot.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const want = has('buildbot') ? undefined : 'Buildbot is not installed (Debian: buildbot)';

describe.skipIf(skipAloud('a live stock master', want))('bbx doctor reach, of a live stock master', () => {
  it('knows both of its protocols by what they say to strangers, and everything else from them', async () => {
    await using dir = await tempDir();
    const [pb, msgpack] = [await freePort('127.0.0.1'), await freePort('127.0.0.1')];
    makeTemplate(join(dir.path, 'template'));
    const config = stockConfig(`'tcp:${pb}:interface=127.0.0.1'`).replace(
      "c['builders']",
      `c['protocols']['msgpack_experimental_v7'] = {'port': ${msgpack}}\nc['builders']`,
    );
    await makeStockMaster(join(dir.path, 'master'), join(dir.path, 'template'), config);
    await using master = startStock('buildbot', join(dir.path, 'master'));
    await master.logged(/BuildMaster is running/);
    await using farm = await startFarm({ config: 'workers: { w1: {} }\n', host: '127.0.0.1' });
    const reach = async (port: number | string, protocol: string) => {
      const ran = await bbx(
        [
          'doctor',
          'reach',
          typeof port === 'string' ? port : `127.0.0.1:${port}`,
          '--protocol',
          protocol,
          '--json',
        ],
        { cwd: dir.path },
      );
      const { findings, verdicts } = ran.json<DoctorReport>();
      const grave = findings.filter(({ status }) => status === 'error' || status === 'warn');
      return {
        code: ran.code,
        grave: grave.map(({ id, title }) => `${id} ${title}`),
        verdict: verdicts[0]?.verdict,
      };
    };
    const good = { code: 0, grave: [], verdict: 'reachable' };
    const wrong = (words: string) => ({
      code: 1,
      grave: [expect.stringMatching(words) as string],
      verdict: 'wrong-peer',
    });
    expect(await reach(pb, 'pb')).toEqual(good);
    expect(await reach(msgpack, 'msgpack')).toEqual(good);
    expect(await reach(msgpack, 'pb')).toEqual(wrong('PRO-02 .* is not a stock .*Perspective Broker'));
    expect(await reach(pb, 'msgpack')).toEqual(
      wrong('PRO-02 .* but a stock Buildbot master .Perspective Broker'),
    );
    expect(await reach(pb, 'bbx')).toEqual(
      wrong('PRO-01 .* but a stock Buildbot master .Perspective Broker'),
    );
    expect(await reach(farm.address, 'pb')).toEqual(wrong('PRO-02 .* but a bbx master'));
  });
});
