import type { StatusFact } from '../../../src/diagnostics/facts/mail.ts';
import { publicSubject } from '../../../src/diagnostics/plan/mail.ts';
import { BOTH, name, reply, tried, type Case } from './recorded.ts';
import { type Fault, V4, V6 } from './usual.ts';

interface Pages extends Partial<Case> {
  /** Workers come from other hosts. */
  far?: boolean;
  running?: boolean;
  answer?: Partial<StatusFact>;
}

/** The farm's public address, and where its master serves pages; this host has 11.0.0.2 and 2a00:1::2. */
function pages(url: string, web: readonly string[], given: Pages = {}): Case {
  const { far = false, running = false, answer, ...more } = given;
  const config = {
    url,
    reach: far ? [{ kind: 'tcp', host: 'ci.example', port: 9989 }] : [],
    listen: { web: web.map((host) => ({ kind: 'tcp', host, port: 8010 })) },
  };
  type Master = Parameters<typeof publicSubject>[0];
  const status = {
    address: V6,
    family: 6 as const,
    status: 200,
    distrust: null,
    issuer: null,
    added: null,
    problem: null,
    ms: 9,
    ...answer,
  };
  return {
    subjects: publicSubject({ shown: '.', running, config } as unknown as Master),
    names: [name('ci.example', reply('answer', [V4]), reply('answer', [V6]))],
    attempts: [tried(V6, 'connected', { port: 443 }), tried(V4, 'connected', { port: 443 })],
    system: { status: answer === undefined ? [] : [status] },
    ...more,
  };
}
const HOME = 'https://ci.example/';
const answered = (answer: Partial<StatusFact>, more: Pages = {}) =>
  pages(HOME, ['localhost'], { running: true, answer, ...more });
const lacks6 = {
  names: [name('ci.example', reply('answer', [V4]), reply('nodata'))],
  attempts: [tried(V4, 'connected', { port: 443 })],
};

/** Faults of the address by which people and hooks come. */
export const PUBLIC_FAULTS: Fault[] = [
  ['a public address without pages', pages('http://ci.example/', []), ['CFG-04'], 'warn'],
  [
    'a public address that leads everybody home',
    pages('http://localhost:8010/', ['localhost'], { far: true }),
    ['CFG-04'],
    'warn',
  ],
  ['https at the port of plain pages', pages('https://11.0.0.2:8010/', ['::']), ['CFG-04'], 'error'],
  [
    'a public address, and pages on loopback alone',
    pages('http://[2a00:1::2]:8010/', ['localhost']),
    ['CFG-04'],
    'error',
  ],
  [
    'a public address with a port on which nothing listens',
    pages('http://[2a00:1::2]/', ['::'], { attempts: [tried('2a00:1::2', 'ECONNREFUSED', { port: 80 })] }),
    ['CFG-04'],
    'error',
  ],
  ['a web server that does not find the master', answered({ status: 502 }), ['NTF-09'], 'error'],
  ['a web server that closes', answered({ status: null, problem: 'closed' }), ['NTF-09'], 'error'],
  ['pages of something else', answered({ status: 404 }), ['NTF-09'], 'warn'],
  ['pages that have moved', answered({ status: 301 }), ['NTF-09'], 'warn'],
  ['a public certificate of another', answered({ distrust: 'another name' }), ['NTF-09'], 'error'],
  ['a public certificate that is over', answered({ distrust: 'CERT_HAS_EXPIRED' }), ['NTF-09'], 'error'],
  [
    'a public certificate that nobody else signed',
    answered({ distrust: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
    ['NTF-09'],
    'error',
  ],
  [
    'a public certificate of an authority that this host does not know',
    answered({ distrust: 'SELF_SIGNED_CERT_IN_CHAIN', issuer: 'CN=Company Root' }),
    ['NTF-09'],
    'warn',
  ],
  [
    'a public address without AAAA where both are meant',
    answered({ address: V4, family: 4 }, { ...lacks6, intent: BOTH }),
    ['NTF-09'],
    'warn',
  ],
];

/** Nothing grave. */
export const PUBLIC_CONTROLS: [title: string, given: Case][] = [
  [
    "a public certificate of the company's own authority, which the system has",
    answered({ issuer: 'CN=Company Root', added: { subject: 'CN=Company Root', from: 'system' } }),
  ],
  ['a public address behind a web server', answered({})],
  ['a public address of a master that does not run', pages(HOME, ['localhost'])],
  ['pages for this host alone', pages('http://localhost:8010/', ['localhost'], { running: true })],
  ['a public address without AAAA, where nobody insists', answered({ address: V4, family: 4 }, lacks6)],
  [
    'a public address that cannot be reached from inside (no hairpin)',
    pages(HOME, ['localhost'], { running: true, attempts: [tried(V6, 'silent'), tried(V4, 'silent')] }),
  ],
  ['pages on every address of this host', pages('http://11.0.0.2:8010/', ['::'])],
];
