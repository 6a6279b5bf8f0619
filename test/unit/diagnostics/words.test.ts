import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Finding, Verdict } from '../../../src/api/doctor.ts';
import { catalogue, selectChecks, strangers } from '../../../src/diagnostics/catalogue.ts';
import { harmless } from '../../../src/diagnostics/evidence.ts';
import { AUTO } from '../../../src/diagnostics/intent.ts';
import type { Attempt } from '../../../src/diagnostics/facts/paths.ts';
import { helpdeskCode } from '../../../src/diagnostics/report.ts';
import { printReport, type Look } from '../../../src/diagnostics/words.ts';
import { name, reply, report, target, tried } from './recorded.ts';

const plain: Look = {
  width: 80,
  symbols: false,
  paint: { red: String, yellow: String, green: String, dim: String, bold: String },
};

describe('the report for people', () => {
  const given = {
    names: [name('ci.example', reply('answer', ['11.0.0.1']), reply('answer', ['2a00:2::10']))],
    subjects: [target()],
    attempts: [tried('2a00:2::10', 'silent'), tried('11.0.0.1', 'connected')],
  };
  const print = async (verbose: boolean) =>
    printReport(
      { ...(await report(given)), intent: AUTO, heading: 'worker w1 -> ci.example:9989', ms: 5_031, verbose },
      plain,
    );

  it('has the root first, evidence, the next step, and what passed in one line', async () => {
    // How many checks there are is no matter of words.
    const text = (await print(false)).replace(/\d+ ok, \d+ not/, 'N ok, N not');
    expect(text).toMatchInlineSnapshot(`
      "bbx doctor  worker w1 -> ci.example:9989                        5.0 s   code 4-f

       ! ci.example:9989 is published for IPv6, but does not answer there (no   PTH-02
         answer in 5 s); IPv4 works
           tcp [2a00:2::10]:9989: no answer in 5 s
           tcp 11.0.0.1:9989: connected in 2 ms
           Fix: Let IPv6 through every firewall on the way, in both directions, or
             withdraw the AAAA record
           Explains 1 more: PTH-03

       1 warned, N ok, N not applicable.  Meant to work: any family (auto).
       Every check and all evidence: -v; for programs: --json
      "
    `);
  });

  it('keeps within 80 columns, and to ASCII without a terminal for more', async () => {
    for (const line of (await print(true)).split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80);
      expect(line).toMatch(/^[\x20-\x7e]*$/);
    }
  });

  it('counts what it shows: findings, of which one check may have several', async () => {
    const { report: got } = await report({
      ...given,
      names: [...given.names, { ...given.names[0]!, name: 'b.example' }],
      subjects: [target(), target('b.example:9989')],
    });
    const text = printReport({ report: got, intent: AUTO, heading: 'x', ms: 1, verbose: false }, plain);
    expect(text.match(/^ ! .*PTH-02$/gm)).toHaveLength(2);
    expect(text).toContain('\n 2 warned, ');
  });

  it('has the verdict in the first line about a target, and what was not tested', async () => {
    const { report: got } = await report(given);
    const rungs = { R2: '1/2', R3: 'ok', R4: 'ok', R7: 'ok', R8: 'not-tested', R9: 'not-tested' };
    const verdict = { from: 'here' as const, to: 'ci.example:9989', plane: 'worker' as const, clients: {} };
    const print = (word: Verdict['verdict'], more = rungs) =>
      printReport(
        {
          ...{ intent: AUTO, heading: 'x', ms: 1, verbose: false },
          report: { ...got, verdicts: [{ ...verdict, verdict: word, rungs: more }] },
        },
        plain,
      );
    expect(print('degraded')).toContain('\n ! DEGRADED  ci.example:9989 is published');
    expect(print('degraded').match(/DEGRADED/g)).toHaveLength(1);
    expect(print('degraded')).toMatch(
      /Not tested: connections that rest for minutes \(R8:\s+bbx doctor reach [^,\n]*, what the\s+master saw/,
    );
    expect(print('wrong-peer')).toContain('\n ! WRONG PEER  ');
    expect(print('reachable')).toContain('\n ! ci.example:9989 is');
    // Of what cannot be reached, and of what is no master, nothing was left out.
    expect(print('unreachable')).not.toContain('Not tested');
    expect(print('degraded', { ...rungs, R3: 'none' })).not.toContain('Not tested');
  });

  it('has the changes of --fix as they are', async () => {
    const { report: got } = await report({ subjects: [] });
    const changes = [
      {
        file: 'master.yaml',
        state: 'made' as const,
        patch: '--- a\n+++ a\n-x\n+y',
        backup: 'master.yaml.old',
      },
    ];
    const text = printReport(
      { report: { ...got, changes }, intent: AUTO, heading: 'x', ms: 1, verbose: false },
      plain,
    );
    expect(text).toContain(
      ' Changed master.yaml; its former text is master.yaml.old\n   --- a\n   +++ a\n   -x\n   +y\n',
    );
  });

  it('says so where there was nothing to look at but the host', async () => {
    const { report: got } = await report({ subjects: [] });
    const lines = (hostAlone: boolean) =>
      printReport(
        { report: got, intent: AUTO, heading: 'this host', ms: 1, verbose: false, hostAlone },
        plain,
      );
    expect(lines(true)).toContain(' To try an address: bbx doctor reach HOST:PORT');
    expect(lines(false)).not.toContain('HOST:PORT');
  });

  it('prints every check with -v', async () => {
    const text = await print(true);
    for (const { id } of catalogue) expect(text).toContain(id);
  });
});

describe('the code', () => {
  const six = tried('2a00:2::10', 'connected');
  const four = tried('11.0.0.1', 'connected');
  const silent6 = tried('2a00:2::10', 'silent');
  const code = (paths: Attempt[], more: { translated?: boolean; findings?: string[] } = {}) =>
    helpdeskCode(
      {
        paths: [{ at: '', attempts: paths, listensHere: null }],
        host: undefined,
        translated: more.translated,
      },
      (more.findings ?? []).map((id) => ({ id, status: 'warn' }) as Finding),
    );

  it.each([
    [code([six, four]), '46'],
    [code([four, silent6]), '4'],
    [code([six]), '6'],
    [code([six], { translated: true }), '64'],
    [code([six, four], { translated: true }), '46'],
    [code([silent6]), '0'],
    [code([silent6], { translated: true }), '0'],
    [code([six, four], { findings: ['PTH-05'] }), '46-s'],
    [code([six, four], { findings: ['PTH-06'] }), '46-m'],
    [code([six, four], { findings: ['DNS-11'] }), '46-sd'],
    [code([four, silent6], { findings: ['PTH-02'] }), '4-f'],
    [code([six, four], { findings: ['PRO-02'] }), '46-w'],
    [code([six, four], { findings: ['LSN-07', 'PTH-04', 'DNS-01', 'PTH-06', 'PTH-03'] }), '46-smdfw'],
  ])('%s is %s', (got, wanted) => {
    expect(got).toBe(wanted);
    expect(got).toMatch(/^(0|4|6|46|64)(-[smdfw]+)?$/);
  });
});

describe('evidence', () => {
  it('cannot move a cursor, and is cut', () => {
    expect(harmless('a\u001b[2Jb\r\nc\u202e')).toBe('a?[2Jb??c?');
    expect(harmless('x'.repeat(10_000)).length).toBeLessThan(400);
  });
});

describe('the catalogue', () => {
  it('has each id once, with needs and causes that exist', () => {
    const ids = catalogue.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const check of catalogue) {
      for (const id of [...check.needs, ...(check.causes ?? [])]) expect(ids, check.id).toContain(id);
      expect(check.needs).not.toContain(check.id);
    }
  });

  it('has a section for every check on its page, and no other', async () => {
    const folder = new URL('../../../docs/doctor/', import.meta.url);
    const sections: string[] = [];
    for (const file of await readdir(folder)) {
      const page = await readFile(new URL(file, folder), 'utf8');
      for (const [, family = '', number, title] of page.matchAll(/^### ([A-Z]{3})-(\d\d): (.+)$/gm)) {
        expect(`${family.toLowerCase()}.md`, 'the page of its family').toBe(file);
        sections.push(`${family}-${number}: ${title}`);
      }
    }
    expect(sections.toSorted()).toEqual(catalogue.map(({ id, title }) => `${id}: ${title}`).toSorted());
  });

  it('has titles with which its list fits into 80 columns', () => {
    for (const { id, title } of catalogue) expect(`${id}  ${title}`.length, id).toBeLessThanOrEqual(80);
  });

  it('is chosen from by topic, id and group', () => {
    // What cannot be read of a configuration is told in every topic.
    const families = selectChecks({ topic: 'dns', only: [], skip: [] }).map(({ id }) => id.split('-')[0]);
    expect([...new Set(families)].toSorted()).toEqual(['CFG', 'DNS']);
    expect(
      selectChecks({ topic: undefined, only: ['pth-01', 'LSN'], skip: ['LSN-02'] }).map(({ id }) => id),
    ).toEqual(expect.arrayContaining(['PTH-01', 'LSN-01']));
    expect(strangers(['DNS', 'DNS-99', 'pro-01'])).toEqual(['DNS-99']);
  });
});
