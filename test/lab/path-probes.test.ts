import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx } from '../rigs/bbx.ts';
import { has } from '../rigs/debian.ts';
import { labHostsAllowed } from './lab-host.ts';
import { MASTER, routedFarm, type RoutedFarm } from './routed-farm.ts';

const allowed = labHostsAllowed('the doctor on a way with a router') && has('nft');
const TARGET = 'master.test:9989';

describe.skipIf(!allowed)('the doctor of a worker whose way leads over a router', () => {
  let lab: RoutedFarm;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    lab = stack.use(await routedFarm());
  });
  afterAll(() => stack.disposeAsync());

  async function reach(...words: string[]) {
    const ran = await bbx(['doctor', 'reach', TARGET, '--json', ...words], {
      cwd: '/',
      within: lab.worker.within,
      limitMs: 60_000,
    });
    const report = ran.json<DoctorReport>();
    const grave = report.findings.filter(({ status }) => status === 'error' || status === 'warn');
    return { report, grave, code: ran.code, rungs: report.verdicts[0]?.rungs };
  }

  it('finds nothing where all is well, and has the master confirm it', async () => {
    await lab.faults();
    const { grave, code, rungs, report } = await reach('--strict');
    expect(grave).toEqual([]);
    expect(code).toBe(0);
    expect(rungs).toMatchObject({ R7: 'ok', R8: 'not-tested', R9: 'ok' });
    expect(report.verdicts[0]?.verdict).toBe('reachable');
  });

  it.each([
    {
      way: 'to the master',
      rules: ['iifname to-w meta length gt 1280 drop'],
      title: /on the way to the master/,
    },
    {
      way: 'from the master',
      rules: ['iifname to-m meta length gt 1280 drop'],
      title: /on the way from the master/,
    },
  ])('names lost large packets on the way $way', async ({ rules, title }) => {
    await lab.faults(...rules);
    const { grave, code, rungs, report } = await reach();
    expect(grave.map(({ id }) => id)).toEqual(['PTH-06']);
    expect(grave[0]?.title).toMatch(title);
    expect(code).toBe(1);
    expect(rungs).toMatchObject({ R2: 'ok', R7: 'fail' });
    expect(report.code).toBe('46-m');
  });

  it('names a narrow link whose "packet too big" never comes (F56), of one family', async () => {
    await lab.faults('meta nfproto ipv6 meta length gt 1280 drop');
    const { grave, report, rungs } = await reach();
    expect(grave.map(({ id }) => id)).toEqual(['PTH-06']);
    expect(grave[0]?.title).toContain('IPv6 to');
    expect(rungs).toMatchObject({ R7: '1/2' });
    expect(report.verdicts[0]?.verdict).toBe('degraded');
  });

  it('names an address that is translated on the way', async () => {
    await lab.faults();
    await lab.router.sh(
      'export PATH="$PATH:/usr/sbin:/sbin"',
      "nft add chain inet lab out '{ type nat hook postrouting priority 100; }'",
      'nft add rule inet lab out oifname to-m ip saddr 11.0.1.2 masquerade',
    );
    const { report, grave } = await reach();
    expect(grave).toEqual([]);
    expect(report.findings.find(({ id }) => id === 'PTH-13')?.title).toContain('sees this host as 11.0.2.1');
    expect(MASTER[4]).toBe('11.0.2.10');
  });
});
