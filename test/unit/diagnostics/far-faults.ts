import { repositorySubject, targetOf } from '../../../src/diagnostics/plan/sources.ts';
import type { SourceSubject } from '../../../src/diagnostics/far-subjects.ts';
import { AT, BOTH, literal, name, ONLY6, reply, tried, type Case } from './recorded.ts';

const V4 = '11.0.5.10';
const V6 = '2a00:2::10';
const dual = name('git.example', reply('answer', [V4]), reply('answer', [V6]));
const v4only = name('git.example', reply('answer', [V4]), reply('nodata'));
const open4 = tried(V4, 'connected', { port: 443 });
const open6 = tried(V6, 'connected', { port: 443 });

function source(url: string, more: Partial<SourceSubject> = {}, rest: Partial<Case> = {}): Case {
  const subject = repositorySubject(url, { source: 'master.yaml', ...more });
  return {
    names: [dual],
    attempts: [open6, open4],
    ...rest,
    subjects: [subject, ...targetOf(subject)],
  };
}

const URL = 'https://git.example/project.git';
const elsewhere = {
  at: AT,
  copy: '/farm/master/.bbx/mirrors/a.git',
  parts: [{ what: 'submodule' as const, url: 'https://other.example/lib.git' }],
};

/** Faults of sources, mail and web services; in the form of faults.test.ts. */
export const FAR_FAULTS: [title: string, given: Case, roots: string[], verdict: 'error' | 'warn'][] = [
  [
    'a repository without AAAA, and a plan with IPv6 alone',
    source(URL, {}, { names: [v4only], attempts: [open4], intent: ONLY6 }),
    ['SRC-01'],
    'error',
  ],
  [
    'a repository without AAAA where both families are meant',
    source(URL, {}, { names: [v4only], attempts: [open4], intent: BOTH }),
    ['SRC-01'],
    'warn',
  ],
  [
    'a repository whose name does not exist',
    source(URL, {}, { names: [name('git.example', reply('nxdomain'), reply('nxdomain'))], attempts: [] }),
    ['DNS-01'],
    'error',
  ],
  [
    'a host of needs that nobody can reach',
    source(
      'https://pypi.example/',
      { what: 'download', url: null, text: 'pypi.example:443', builders: ['linux'] },
      {
        names: [name('pypi.example', reply('answer', [V4]), reply('nodata'))],
        attempts: [tried(V4, 'silent', { port: 443 })],
      },
    ),
    ['PTH-01'],
    'error',
  ],
  [
    'a repository that is not there',
    source(URL, {}, { system: { repository: { outcome: 'missing', reason: 'Repository not found.' } } }),
    ['SRC-02'],
    'error',
  ],
  [
    'a repository that wants a login',
    source(URL, {}, { system: { repository: { outcome: 'login', reason: 'could not read Username' } } }),
    ['SRC-02'],
    'warn',
  ],
  ['an address without brackets', source('ssh://git@2001:db8::2/project.git'), ['SRC-06'], 'error'],
  ['a zone in a URL', source('https://[fe80::1%eth0]/project.git'), ['SRC-06'], 'error'],
  [
    'a submodule on a host that is away',
    source(
      URL,
      {},
      {
        attempts: [tried(V6, 'silent', { port: 443 }), tried(V4, 'silent', { port: 443 })],
        system: { nested: elsewhere },
        names: [dual],
      },
    ),
    ['PTH-01', 'SRC-07'],
    'error',
  ],
  [
    'a submodule that is a path of one machine',
    source(
      URL,
      {},
      { system: { nested: { ...elsewhere, parts: [{ what: 'submodule', url: '/home/me/lib' }] } } },
    ),
    ['SRC-07'],
    'warn',
  ],
];

/** Nothing grave. */
export const FAR_CONTROLS: [title: string, given: Case][] = [
  ['a repository with both families', source(URL)],
  [
    'a repository without AAAA, where nobody insists',
    source(URL, {}, { names: [v4only], attempts: [open4] }),
  ],
  [
    'a private repository whose login the doctor does not use',
    source(URL, { credentials: true }, { system: { repository: { outcome: 'login', reason: 'denied' } } }),
  ],
  [
    'a repository by its IPv6 address',
    source(
      'ssh://git@[2a00:2::10]:22/project.git',
      {},
      { names: [literal(V6)], attempts: [tried(V6, 'connected', { port: 22 })] },
    ),
  ],
  ['a repository on the disk', source('/srv/git/project.git', {}, { names: [], attempts: [] })],
];
