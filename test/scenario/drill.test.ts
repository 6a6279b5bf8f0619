import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { processesOf } from '../../src/drill/processes.ts';
import type { DrillReport } from '../../src/drill/report.ts';
import type { SoakReport } from '../../src/drill/soak.ts';
import { bbx, startBbx } from '../rigs/bbx.ts';
import { hasPostgres } from '../rigs/postgres.ts';
import { tempDir } from '../rigs/temp-dir.ts';

// The long form is `npm run drill`; CONTRIBUTING.md.
describe('bbx drill', () => {
  it('hammers a farm of its own, on which nothing is lost, doubled, stuck or left', async () => {
    await using dir = await tempDir();
    const faults = 'master-kill,worker-kill,link-reset,link-cut';
    const { code, stdout, stderr } = await bbx(
      ['drill', '--rounds', '5', '--seed', '7', '--faults', faults, '--json'],
      { cwd: dir.path, limitMs: 110_000 },
    );
    const report = JSON.parse(stdout) as DrillReport;
    expect(report.failures, stderr).toEqual([]);
    expect(code).toBe(0);
    expect(report).toMatchObject({ verdict: 'ok', rounds: 5, buildsLost: 0, bytesLost: 0, bytesDoubled: 0 });
    expect(report.builds).toBeGreaterThan(5);
    expect(report.bytes).toBeGreaterThan(10_000);
  });

  it('ends its farm with Ctrl-C, and leaves no process and no directory', async () => {
    await using dir = await tempDir();
    await using program = startBbx(['drill', '--rounds', '50', '--faults', 'link-reset'], {
      cwd: dir.path,
      env: { TMPDIR: dir.path },
    });
    await program.waitFor(/^ +1 /m, 60_000);
    expect(await program.end('SIGINT', 20_000)).toBe(130);
    expect(program.output()).toMatch(
      /^\d+ rounds with seed \d+ in .*\n.*\n.*\n\nnothing lost until it was interrupted$/m,
    );
    // Node keeps compiled code there, too.
    expect((await readdir(dir.path)).filter((name) => name.startsWith('bbx-'))).toEqual([]);
    expect(processesOf(dir.path)).toEqual([]);
  });

  it('soaks a farm with a fault now and then, and looks at all that was built since the last one', async () => {
    await using dir = await tempDir();
    const words = ['drill', '--soak', '60', '--faults', 'disk-spool,disk-logs', '--seed', '2', '--json'];
    const { code, stdout, stderr } = await bbx(words, { cwd: dir.path, limitMs: 160_000 });
    const report = JSON.parse(stdout) as SoakReport;
    expect(report.wrong, stderr).toEqual([]);
    expect(code).toBe(0);
    expect(report).toMatchObject({ schema: 'bbx.soak/1', verdict: 'ok', builds: 60, rounds: 2 });
    expect(report.skipped).toEqual([{ name: 'disk-logs', because: expect.stringMatching(/no small/) }]);
  });

  it.skipIf(!hasPostgres())('loses its PostgreSQL for good, twice, and goes on at the standby', async () => {
    await using dir = await tempDir();
    const faults = ['--store', 'postgres', '--faults', 'postgres-failover'];
    const { code, stdout, stderr } = await bbx(
      ['drill', '--rounds', '2', '--seed', '1', ...faults, '--json'],
      { cwd: dir.path, limitMs: 200_000 },
    );
    const report = JSON.parse(stdout) as DrillReport;
    expect(report.failures, stderr).toEqual([]);
    expect(code).toBe(0);
    expect(report).toMatchObject({ verdict: 'ok', rounds: 2, buildsLost: 0, bytesLost: 0, bytesDoubled: 0 });
  });

  it('plans the same for the same seed, and does nothing with --dry-run', async () => {
    await using dir = await tempDir();
    const words = ['drill', '--seed', '3', '--rounds', '40', '--dry-run', '--json'];
    const [one, same] = await Promise.all([bbx(words, { cwd: dir.path }), bbx(words, { cwd: dir.path })]);
    expect(one.code).toBe(0);
    expect(one.stdout).toBe(same.stdout);
    const other = await bbx([...words, '--seed', '4'], { cwd: dir.path });
    expect(other.stdout).not.toBe(one.stdout);
  });
});
