import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { has } from '../rigs/debian.ts';
import { labHostsAllowed } from './lab-host.ts';
import { MASTER, routedFarm, type RoutedFarm } from './routed-farm.ts';

const allowed = labHostsAllowed('the doctor of both ends of a way') && has('nft');
/** Only new connections: the session that stands must not end. */
const FIRST = 'tcp flags & (syn | ack) == syn';
const ANSWER = 'tcp flags & (syn | ack) == (syn | ack)';

describe.skipIf(!allowed)('the doctor of a master, asked about the way of a worker', () => {
  let lab: RoutedFarm;
  const stack = new AsyncDisposableStack();
  beforeAll(async () => {
    lab = stack.use(await routedFarm());
  });
  afterAll(() => stack.disposeAsync());

  async function path() {
    const ran = await lab.farm.run('doctor', 'path', 'w7', '--json');
    const report = ran.json<DoctorReport>();
    const grave = report.findings.filter(({ status }) => status === 'error' || status === 'warn');
    return { report, grave, code: ran.code, verdict: report.verdicts[0] };
  }

  it('finds nothing where all is well, and speaks of the worker', async () => {
    await lab.faults();
    const { grave, code, verdict } = await path();
    expect(grave).toEqual([]);
    expect(code).toBe(0);
    expect(verdict).toMatchObject({
      from: 'worker:w7',
      to: 'master.test:9989',
      verdict: 'reachable',
      rungs: { R2: 'ok', R7: 'ok', R9: 'ok' },
    });
  });

  it.each([
    {
      fault: 'what the worker sends over IPv6 is dropped on the way',
      rules: [`meta nfproto ipv6 iifname to-w ${FIRST} drop`],
      root: 'PTH-04',
      title: /Nothing that worker w7 sends to \[2a00:2::10\]:9989 arrives at the master/,
    },
    {
      fault: "the master's answers over IPv6 are lost on the way back (SYN-ACK lost)",
      rules: [`meta nfproto ipv6 iifname to-m ${ANSWER} drop`],
      root: 'PTH-04',
      title: /arrives, but the master's answers do not come back/,
    },
    {
      fault: 'a firewall on the way answers in place of the master',
      rules: [`meta nfproto ipv6 iifname to-w ${FIRST} reject with tcp reset`],
      root: 'PTH-04',
      title: /Worker w7 is refused at \[2a00:2::10\]:9989, but not by the master/,
    },
    {
      fault: 'large packets are lost on the way to the master',
      rules: ['meta nfproto ipv4 iifname to-w meta length gt 1280 drop'],
      root: 'PTH-06',
      title: /IPv4 to master\.test:9989 loses large packets on the way to the master/,
    },
    {
      fault: 'large packets are lost on the way back',
      rules: ['meta nfproto ipv4 iifname to-m meta length gt 1280 drop'],
      root: 'PTH-06',
      title: /loses large packets on the way from the master/,
    },
  ])('names that $fault', async ({ rules, root, title }) => {
    await lab.faults(...rules);
    const { grave, verdict } = await path();
    expect(grave.map(({ id, vantage }) => `${id} ${vantage}`)).toEqual([`${root} worker:w7`]);
    expect(grave[0]?.title).toMatch(title);
    expect(verdict?.verdict).toBe('degraded');
    expect(MASTER[6]).toBe('2a00:2::10');
  });

  it.each([
    { what: 'nothing where both ends reach a repository', rules: [], roots: [], code: 0 },
    {
      what: 'that the worker does not reach what the master does',
      rules: [`iifname to-w ${FIRST} drop`],
      roots: ['SRC-05'],
      code: 1,
    },
  ])('says of a source, asked for the worker: $what', async ({ rules, roots, code }) => {
    await lab.faults(...rules);
    // Whoever listens there will do: nobody is spoken to.
    const ran = await lab.farm.run(
      'doctor',
      'source',
      'git://master.test:9989/app.git',
      '--worker',
      'w7',
      '--json',
    );
    const report = ran.json<DoctorReport>();
    const grave = report.findings.filter(({ status }) => status === 'error' || status === 'warn');
    expect(grave.map(({ id, vantage }) => [id, vantage])).toEqual(roots.map((id) => [id, 'worker:w7']));
    expect(ran.code).toBe(code);
    expect(report.checks.find(({ id }) => id === 'SRC-05')?.status).toBe(code === 0 ? 'ok' : 'error');
  });

  it('says that there is no such worker, although nothing is fetched from another host', async () => {
    const ran = await lab.farm.run('doctor', 'source', '/srv/app.git', '--worker', 'nobody');
    expect(ran.stderr).toContain('Cannot find worker "nobody"');
    expect(ran.code).toBe(6);
  });

  it('says of a worker that is away that it cannot be asked', async () => {
    await lab.faults();
    await lab.farm.workers.get('w7')?.end();
    const { code, stderr } = await lab.farm.run('doctor', 'path', 'w7');
    expect(stderr).toContain('Cannot ask worker "w7": it is not attached');
    expect(code).toBe(8);
  });
});
