import { describe, expect, it } from 'vitest';
import { doctorReport } from '../../../src/api/doctor.ts';
import type { TargetSubject } from '../../../src/diagnostics/subject.ts';
import { namesIn } from '../../../src/diagnostics/share-names.ts';
import { createPseudonyms } from '../../../src/diagnostics/share.ts';
import { program, report, target, tried } from './recorded.ts';
import { dual, type Fault, open4, open6, subjects, V4, v4only, V6 } from './usual.ts';
import { CONTROLS as HEALTHY, FACTS } from './controls.ts';
import { HOST_FAULTS } from './host-faults.ts';
import { LISTENER_FAULTS } from './listener-faults.ts';
import { NAME_FAULTS } from './name-faults.ts';
import { PATH_FAULTS } from './path-faults.ts';
import { PROGRAM_FAULTS } from './program-faults.ts';
import { PEER_FAULTS } from './peer-faults.ts';
import { PUBLIC_CONTROLS, PUBLIC_FAULTS } from './public-faults.ts';
import { SETTING_CONTROLS, SETTING_FAULTS } from './setting-faults.ts';
import { problemOfLine } from './pasteable.ts';
import { placeOf, tellingTexts } from './telling-texts.ts';
import { FAR_CONTROLS, FAR_FAULTS } from './far-faults.ts';
import { LINK_FAULTS } from './link-faults.ts';
import { STOCK_CONTROLS, STOCK_FAULTS } from './stock-faults.ts';
import { NETWORK_CONTROLS, NETWORK_FACTS, NETWORK_FAULTS } from './network-faults.ts';
import { TROUBLE_CONTROLS, TROUBLE_FACTS, TROUBLE_FAULTS } from './trouble-faults.ts';
import { BETWEEN_CONTROLS, BETWEEN_FAULTS } from './between-faults.ts';

const FAULTS: Fault[] = [
  ...HOST_FAULTS,
  ...LISTENER_FAULTS,
  ...NAME_FAULTS,
  ...PATH_FAULTS,
  ...PROGRAM_FAULTS,
  ...PEER_FAULTS,
  ...SETTING_FAULTS,
  ...PUBLIC_FAULTS,
  ...FAR_FAULTS,
  ...LINK_FAULTS,
  ...STOCK_FAULTS,
  ...BETWEEN_FAULTS,
  ...TROUBLE_FAULTS,
  ...NETWORK_FAULTS,
];
const CONTROLS = [
  ...HEALTHY,
  ...FAR_CONTROLS,
  ...STOCK_CONTROLS,
  ...BETWEEN_CONTROLS,
  ...TROUBLE_CONTROLS,
  ...NETWORK_CONTROLS,
  ...SETTING_CONTROLS,
  ...PUBLIC_CONTROLS,
];

describe('faults and their one root', () => {
  it.each(FAULTS)('%s', async (_title, given, roots, verdict) => {
    const { report: got } = await report(given);
    const grave = got.findings.filter(({ status }) => status === 'error' || status === 'warn');
    expect(grave.map(({ id }) => id)).toEqual(roots);
    expect(got.verdict).toBe(verdict);
    expect(doctorReport.parse(got)).toEqual(got);
  });

  it('gives every root evidence and a next step', async () => {
    for (const [title, given] of FAULTS) {
      const { report: got } = await report(given);
      for (const finding of got.findings.filter(({ status }) => status === 'error' || status === 'warn')) {
        expect(finding.evidence.length, title).toBeGreaterThan(0);
        expect(finding.fix.length, title).toBeGreaterThan(0);
        expect(finding.title, title).not.toMatch(/undefined|null|NaN/);
      }
    }
  });

  it('offers as commands only what a shell takes and is there', async () => {
    const reports = await Promise.all(FAULTS.map(async ([, given]) => (await report(given)).report));
    const lines = reports.flatMap(({ findings }) =>
      findings.flatMap(({ fix }) => fix.flatMap(({ commands = [] }) => commands)),
    );
    expect(lines.length).toBeGreaterThan(50);
    expect([...new Set(lines)].flatMap((line) => problemOfLine(line) ?? [])).toEqual([]);
  });

  it('can be shown to anybody with stand-ins for what it tells of its place', async () => {
    for (const [title, given] of FAULTS) {
      const { report: got } = await report(given);
      const disguised = JSON.stringify(createPseudonyms(namesIn(placeOf(given), {}))(got));
      expect(
        tellingTexts(given).filter((text) => disguised.includes(text)),
        title,
      ).toEqual([]);
      // What is wrong can still be read.
      for (const { id } of got.findings) expect(disguised).toContain(`"${id}"`);
    }
  });

  it('has a fault for every check of the catalogue', async () => {
    const { catalogue } = await import('../../../src/diagnostics/catalogue.ts');
    const covered = new Set([
      ...FAULTS.flatMap(([, , roots]) => roots),
      ...[...FACTS, ...NETWORK_FACTS, ...TROUBLE_FACTS].map(([id]) => id),
    ]);
    expect(catalogue.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([]);
  });
});

describe('checks that state facts alone', () => {
  it.each([...FACTS, ...NETWORK_FACTS])('%s says what it saw, and fails nothing', async (id, given) => {
    const { report: got } = await report(given);
    expect(got.findings.filter((finding) => finding.id === id)).toMatchObject([{ status: 'info' }]);
    expect(got.verdict).toBe('ok');
  });
});

describe('controls', () => {
  it.each(CONTROLS)('says nothing grave of %s', async (_title, given) => {
    const { report: got, mustKnow } = await report(given);
    expect(got.findings.filter(({ status }) => status !== 'info')).toEqual([]);
    expect(got.verdict).toBe('ok');
    expect(mustKnow).toBe(false);
  });
});

describe('a program that does not run', () => {
  it.each([
    ['.', 'The master of this directory does not run: bbx run master'],
    ['/srv/farm/master', 'The master does not run: bbx run master /srv/farm/master'],
  ])('is a fact with its next command, seen from %s', async (shown, title) => {
    const { report: got } = await report({ subjects: [program({ role: 'master', running: false, shown })] });
    expect(got.findings.filter(({ id }) => id === 'RUN-01')).toMatchObject([{ status: 'info', title }]);
  });
});

describe('what a closed port of the same address tells', () => {
  it.each([
    ['ECONNREFUSED', 'ECONNREFUSED', 'possible', /nothing listens on that port, or a firewall/],
    ['ECONNREFUSED', 'silent', 'likely', /lets this one through, but nothing listens/],
    ['EACCES', 'ECONNREFUSED', 'proven', /rejects .* and to no other port$/],
    ['EACCES', 'EACCES', 'likely', /rejects .*\(EACCES\)$/],
    ['silent', 'ECONNREFUSED', 'likely', /port 9989 of ci.example alone is silent/],
  ])('%s here and %s there', async (here, there, confidence, title) => {
    const { report: got } = await report({
      names: [v4only],
      subjects,
      attempts: [tried(V4, here)],
      closedPort: [tried(V4, there, { port: 65_013 })],
    });
    expect(got.findings[0]).toMatchObject({
      id: 'PTH-04',
      confidence,
      title: expect.stringMatching(title) as string,
    });
    expect(got.findings[0]?.evidence.map(({ what }) => what)).toEqual([`tcp ${V4}:9989`, `tcp ${V4}:65013`]);
  });
});

describe('a refusal on this host itself', () => {
  it.each<[string, Partial<TargetSubject>, boolean]>([
    ['127.0.0.1:22', { port: 22, plane: 'other' }, false],
    ['127.0.0.1:9989', { plane: 'other' }, true],
    ['127.0.0.1:7001', { port: 7_001 }, true],
    ['127.0.0.1:9989', { protocol: 'pb' }, false],
  ])('at %s, %j: offers to run a master: %s', async (text, more, offers) => {
    const { report: got } = await report({
      subjects: [target(text, more)],
      attempts: [tried('127.0.0.1', 'ECONNREFUSED')],
      listensHere: false,
    });
    const commands = got.findings.flatMap(({ fix }) => fix.flatMap(({ commands: lines = [] }) => lines));
    expect(commands.includes('bbx run master')).toBe(offers);
    expect(commands).toContain(`ss -ltn sport = :${more.port ?? 9_989}`);
  });
});

describe('a published family that does not answer', () => {
  it.each<[string, TargetSubject['protocol'], 4 | 6, string, RegExp]>([
    ['of bbx, IPv4', 'bbx', 4, 'silent', /in both directions, or withdraw the A record$/],
    ['of stock Buildbot, IPv4', 'pb', 4, 'silent', /in both directions; the A record must stay/],
    ['of stock Buildbot, IPv4', 'msgpack', 4, 'ECONNREFUSED', /listen on IPv4 too; the A record must stay/],
    ['of stock Buildbot, IPv6', 'pb', 6, 'ECONNREFUSED', /listen on IPv6 too, or withdraw the AAAA record$/],
  ])('%s at %s: what to do', async (_title, protocol, dead, how, words) => {
    const [six, four] = dead === 4 ? [open6, tried(V4, how)] : [tried(V6, how), open4];
    const { report: got } = await report({
      names: [dual],
      subjects: [target('ci.example:9989', { protocol })],
      attempts: [six, four],
      peers: [],
    });
    const finding = got.findings.find(({ id }) => id === 'PTH-02');
    expect(finding?.fix.at(-1)?.text).toMatch(words);
  });
});

describe("a worker's key that this user may not read", () => {
  it('leaves one question open, in a sentence, and fails nothing', async () => {
    const { report: got, mustKnow } = await report({
      names: [dual],
      subjects: [target('ci.example:9989', { workerDir: '/w', workerName: 'w1', pins: ['sha256:a'] })],
      attempts: [open6, open4],
      authentication: { accepted: null, code: 'EACCES', message: '/w/key.pem', hint: null },
    });
    expect(got.findings).toMatchObject([
      {
        id: 'PRO-05',
        status: 'unknown',
        title:
          'Whether the master lets worker "w1" in is not known: this user may not read the worker\'s key',
      },
    ]);
    expect(mustKnow).toBe(false);
  });
});
