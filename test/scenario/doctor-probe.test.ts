import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx, startBbx } from '../rigs/bbx.ts';
import { freePort } from '../rigs/farm.ts';

/** A listener for probes on a port of its own, with its token. */
async function listening(...words: string[]) {
  const port = await freePort('[::1]');
  const listener = startBbx(['doctor', 'listen', `localhost:${port}`, '--probe', ...words], { cwd: '/' });
  const [, token = ''] = await listener.waitFor(/--token (probe1\.\S+)/);
  return { listener, port, token };
}

const reach = (port: number, ...words: string[]) =>
  bbx(['doctor', 'reach', `localhost:${port}`, '--json', ...words], { cwd: '/' });

describe('a listener for probes', () => {
  it('is found by its token, sees who comes, and ends with 0', async () => {
    const { listener, port, token } = await listening('--for', '10s');
    await using _listener = listener;
    const { code, ...ran } = await reach(port, '--token', token);
    const report = ran.json<DoctorReport>();
    expect(report.findings.filter(({ status }) => status !== 'info')).toEqual([]);
    expect(code).toBe(0);
    expect(report.verdicts[0]?.rungs).toMatchObject({ R4: 'ok', R7: 'ok', R9: 'ok' });
    const output = listener.output();
    expect(output).toMatch(/accepted\s+\[::1\]:\d+\s+IPv6/);
    expect(output).toMatch(/accepted\s+127\.0\.0\.1:\d+\s+IPv4/);
    expect(output).toMatch(/greeted\s+\[::1\]:\d+\s+nonce \S{8}/);
    await listener.waitFor(/ended\s+\S+\s+\d{5,} bytes received/);
  });

  it('is not the one that another token means', async () => {
    const { listener, port } = await listening('--for', '10s');
    await using _listener = listener;
    const ran = await reach(port, '--token', `probe1.${'A'.repeat(43)}`);
    const [first] = ran.json<DoctorReport>().findings;
    expect(first).toMatchObject({ id: 'PRO-01', status: 'error' });
    expect(first?.title).toContain('is not the one that printed the token');
    expect(ran.code).toBe(1);
  });

  it('ends with 1 when nobody came, and with 130 when it is interrupted', async () => {
    const alone = await bbx(['doctor', 'listen', 'localhost:0', '--probe', '--for', '300ms', '--json'], {
      cwd: '/',
    });
    expect(alone.code).toBe(1);
    expect(JSON.parse(alone.stdout.split('\n')[0] ?? '')).toMatchObject({ type: 'listening', v: 1 });
    const { listener } = await listening();
    await using _listener = listener;
    expect(await listener.end('SIGINT')).toBe(130);
  });

  it('wants a token that is one', async () => {
    const { code, stderr } = await bbx(['doctor', 'reach', 'localhost:9', '--token', 'x'], { cwd: '/' });
    expect(code).toBe(2);
    expect(stderr).toContain('--token is none');
  });
});
