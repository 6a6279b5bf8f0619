import { repositorySubject, targetOf } from '../../../src/diagnostics/plan/sources.ts';
import {
  chatSubject,
  mailSubject,
  statusSubject,
  type SourceSubject,
  type StatusSubject,
} from '../../../src/diagnostics/far-subjects.ts';
import { placeOfService } from '../../../src/diagnostics/place-target.ts';
import type { Attempt, PathFacts } from '../../../src/diagnostics/facts/paths.ts';
import type { ChatFact } from '../../../src/diagnostics/facts/chat.ts';
import type { HostKeyFact } from '../../../src/diagnostics/facts/sources.ts';
import type { MailFact, StatusFact } from '../../../src/diagnostics/facts/mail.ts';
import { AT, BOTH, literal, name, ONLY6, reply, tried, type Case } from './recorded.ts';

const V4 = '11.0.5.10';
const V6 = '2a00:2::10';
const dual = name('git.example', reply('answer', [V4]), reply('answer', [V6]));
const v4only = name('git.example', reply('answer', [V4]), reply('nodata'));
const open4 = tried(V4, 'connected', { port: 443 });
const open6 = tried(V6, 'connected', { port: 443 });

const reached = (...attempts: Attempt[]): PathFacts => ({ at: AT, attempts, listensHere: null });

/** `alone`: its host is no target of its own, as a worker tells of it. */
function source(
  url: string,
  more: Partial<SourceSubject> = {},
  rest: Partial<Case> = {},
  how?: 'alone',
): Case {
  const subject = repositorySubject(url, { source: 'master.yaml', ...more });
  return {
    names: [dual],
    attempts: [open6, open4],
    ...rest,
    subjects: [subject, ...(how === 'alone' ? [] : targetOf(subject))],
  };
}

const URL = 'https://git.example/project.git';
const SSH = 'ssh://git@git.example/project.git';
/** What is known of a server that shows one key. */
const keys = (known: string[], more: Partial<HostKeyFact> = {}): HostKeyFact => ({
  ...{ at: AT, name: 'git.example', scanned: { host: 'git.example', port: 22 } },
  ...{ files: ['/home/ci/.ssh/known_hosts'], strict: 'ask', because: null },
  known: known.map((key) => ({ type: 'ssh-ed25519', key })),
  shown: [{ type: 'ssh-ed25519', key: 'bmV3' }],
  ...more,
});
/** What ssh's configuration makes of a URL: another host, or a way through one. */
const led = (through: string | null): Partial<SourceSubject> => ({
  ssh: { written: 'forge', host: 'git.example', port: 2222, through },
  ...(through === null ? { host: 'git.example', port: 2222 } : { host: null, port: null }),
});
const elsewhere = {
  at: AT,
  copy: '/farm/master/.bbx/mirrors/a.git',
  parts: [{ what: 'submodule' as const, url: 'https://other.example/lib.git', ssh: null }],
};

const MAIL6 = tried(V6, 'connected', { port: 25 });
const certificate = {
  subject: 'CN=mail.example',
  issuer: 'CN=Test authority',
  names: 'DNS:mail.example',
  from: 0,
  to: 4_000_000_000_000,
  fingerprint: 'AA:BB',
  selfSigned: false,
};
const greeted = (more: Partial<NonNullable<MailFact['greeting']>> = {}): MailFact => ({
  address: V6,
  family: 6,
  greeting: {
    outcome: 'ready',
    banner: 'mail.example ESMTP',
    code: 220,
    extensions: ['STARTTLS'],
    problem: null,
    ms: 20,
    ...more,
  },
  tls: null,
});
const secured = (more: Partial<NonNullable<MailFact['tls']>> = {}): MailFact => ({
  ...greeted(),
  tls: {
    outcome: 'secured',
    code: null,
    version: 'TLSv1.3',
    chain: [certificate],
    distrust: null,
    fits: true,
    extensions: ['AUTH PLAIN'],
    ...more,
  },
});
const NAMELESS = {
  '2a00:1::2': { outcome: 'none' as const, names: [] },
  '2a00:2::77': { outcome: 'none' as const, names: [] },
};
const dualMail = name('mail.example', reply('answer', [V4]), reply('answer', [V6]));
function mail(
  facts: MailFact[],
  more: Parameters<typeof mailSubject>[0] | object = {},
  rest: Partial<Case> = {},
): Case {
  const subject = mailSubject({ host: 'mail.example', port: 25, source: 'master.cfg', ...more });
  return {
    names: [dualMail],
    attempts: [MAIL6],
    system: { mail: facts },
    ...rest,
    subjects: [subject, placeOfService(subject)],
  };
}
function service(
  facts: Partial<StatusFact>,
  rest: Partial<Case> = {},
  client: StatusSubject['client'] = 'twisted',
): Case {
  const subject = statusSubject('https://me:secret@api.example/repos?token=x', {
    source: 'master.cfg',
    client,
  });
  if (subject === undefined) throw new Error('no URL');
  return {
    names: [name('api.example', reply('answer', [V4]), reply('answer', [V6]))],
    attempts: [open6],
    ...rest,
    subjects: [subject, placeOfService(subject)],
    system: {
      status: [
        {
          ...{ address: V6, family: 6, status: 200, distrust: null, issuer: null, added: null },
          ...{ problem: null, ms: 30, ...facts },
        },
      ],
    },
  };
}

function chat(outcome: ChatFact['outcome'], rest: Partial<Case> = {}): Case {
  const subject = chatSubject({ host: 'irc.example', port: 6_667, secure: false, source: 'master.cfg' });
  return {
    names: [name('irc.example', reply('answer', [V4]), reply('answer', [V6]))],
    attempts: [tried(V6, 'connected', { port: 6_667 })],
    system: { chat: [{ address: V6, family: 6, outcome, said: 'SSH-2.0', ms: 7 }] },
    ...rest,
    subjects: [subject, placeOfService(subject)],
  };
}

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
  [
    'a repository at a port of ssh, where nobody answers',
    source('git@forge:project.git', led(null), { attempts: [tried(V6, 'silent', { port: 2222 })] }),
    ['PTH-01'],
    'error',
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
      {
        system: { nested: { ...elsewhere, parts: [{ what: 'submodule', url: '/home/me/lib', ssh: null }] } },
      },
    ),
    ['SRC-07'],
    'warn',
  ],
  [
    'a mail server that refuses this host',
    mail([greeted({ outcome: 'refused', code: 554, banner: 'no mail from you' })]),
    ['NTF-01'],
    'error',
  ],
  [
    'a mail server that never greets',
    mail([greeted({ outcome: 'silent', code: null, banner: null })]),
    ['NTF-01'],
    'error',
  ],
  [
    'a certificate of another name, where TLS is offered',
    mail([secured({ fits: false })]),
    ['NTF-02'],
    'warn',
  ],
  [
    'a certificate that nobody trusts, where somebody logs in',
    mail([secured({ distrust: 'SELF_SIGNED_CERT_IN_CHAIN' })], { user: true }),
    ['NTF-02'],
    'error',
  ],
  [
    'a password and no TLS',
    mail(
      [{ ...secured(), tls: { ...(secured().tls as NonNullable<MailFact['tls']>), outcome: 'not offered' } }],
      { user: true },
    ),
    ['NTF-02'],
    'error',
  ],
  [
    'no login at a server where somebody logs in',
    mail([secured({ extensions: ['SIZE 1'] })], { user: true }),
    ['NTF-03'],
    'error',
  ],
  [
    'an address as relay whose certificate is for a name',
    mail([secured({ fits: false })], { host: V6, tls: 'starttls' }, { names: [literal(V6)] }),
    ['NTF-04'],
    'error',
  ],
  [
    'a mail server with AAAA alone for stock Buildbot',
    mail(
      [secured()],
      { client: 'twisted' },
      { names: [name('mail.example', reply('nodata'), reply('answer', [V6]))] },
    ),
    ['NTF-05'],
    'error',
  ],
  [
    'mail that leaves from an IPv6 address without a name',
    mail([secured()], {}, { system: { mail: [secured()], reverse: NAMELESS } }),
    ['NTF-06'],
    'warn',
  ],
  [
    'mail that leaves from an address whose name leads elsewhere, and is refused',
    mail(
      [],
      {},
      {
        names: [dualMail, name('ci.example', reply('answer', [V4]), reply('nodata'))],
        system: {
          mail: [greeted({ outcome: 'refused', code: 554, banner: 'who are you' })],
          reverse: { '2a00:1::2': { outcome: 'names', names: [{ name: 'ci.example', addresses: [V6] }] } },
        },
      },
    ),
    ['NTF-06'],
    'error',
  ],
  ['a web service that fails', service({ status: 503 }), ['NTF-07'], 'error'],
  [
    'a web service with the certificate of another',
    service({ distrust: 'another name' }),
    ['NTF-07'],
    'error',
  ],
  [
    'a web service of stock Buildbot that only the system trusts',
    service({ added: { subject: 'CN=Company Root', from: 'system' } }),
    ['NTF-07'],
    'warn',
  ],
  [
    'a repository that is there over IPv4 alone, though its host has both',
    source(
      URL,
      {},
      { system: { repositoryAt: { 6: { outcome: 'missing', reason: 'repository not found' } } } },
    ),
    ['SRC-03'],
    'warn',
  ],
  [
    'a repository that is there over IPv4 alone, so that git fails whenever it goes by IPv6',
    source(
      URL,
      {},
      {
        intent: BOTH,
        system: {
          repository: { outcome: 'missing', reason: 'repository not found' },
          repositoryAt: { 4: { outcome: 'ok', reason: null } },
        },
      },
    ),
    ['SRC-03'],
    'error',
  ],
  [
    'an ssh server whose key is not known',
    source(
      SSH,
      {},
      {
        system: {
          hostKeys: keys([]),
          repository: { outcome: 'failed', reason: 'Host key verification failed.' },
        },
      },
    ),
    ['SRC-04'],
    'error',
  ],
  [
    'an ssh server whose key is another than it was',
    source(SSH, {}, { system: { hostKeys: keys(['b2xk'], { strict: 'accept-new' }) } }),
    ['SRC-04'],
    'error',
  ],
  [
    'a repository that the worker cannot reach, and the master can',
    source(
      URL,
      { builders: ['linux'] },
      {
        attempts: [tried(V6, 'silent', { port: 443 }), tried(V4, 'ECONNREFUSED', { port: 443 })],
        system: { hereReach: { name: dual, path: reached(open6, open4) } },
      },
      'alone',
    ),
    ['SRC-05'],
    'error',
  ],
  [
    "a repository that the master's poller cannot reach, and the worker can",
    source(
      URL,
      {},
      { system: { hereReach: { name: dual, path: reached(tried(V4, 'silent', { port: 443 })) } } },
    ),
    ['SRC-05'],
    'warn',
  ],
  [
    'a repository that the worker reaches over IPv4 alone, where both are meant',
    source(
      URL,
      {},
      {
        attempts: [tried(V6, 'ENETUNREACH', { port: 443, local: true }), open4],
        intent: BOTH,
        system: { hereReach: { name: dual, path: reached(open6, open4) } },
      },
      'alone',
    ),
    ['SRC-05'],
    'warn',
  ],
  ['something else where IRC should be', chat('strange'), ['NTF-10'], 'error'],
  ['a chat server that says nothing', chat('silent'), ['NTF-10'], 'warn'],
  [
    'a chat server with AAAA alone for stock Buildbot',
    chat('irc', { names: [name('irc.example', reply('nodata'), reply('answer', [V6]))] }),
    ['NTF-10'],
    'error',
  ],
];

/** Nothing grave. */
export const FAR_CONTROLS: [title: string, given: Case][] = [
  ['a repository with both families', source(URL)],
  [
    'a repository to which ssh goes through another host; nothing here leads to it',
    source('git@forge:project.git', led('ProxyJump gate.example'), {
      names: [name('git.example', reply('nxdomain'), reply('nxdomain'))],
      attempts: [],
    }),
  ],
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
  ['a mail server with everything', mail([secured()], { user: true })],
  ['a mail server without TLS, where none is wanted', mail([greeted({ extensions: [] })])],
  ['a web service that wants a login', service({ status: 401 })],
  [
    'a web service of nobody that is known, which the system trusts',
    service({ added: { subject: 'CN=Company Root', from: 'system' } }, {}, 'any'),
  ],
  [
    'a web service whose authority this process was told to trust',
    service({ added: { subject: 'CN=Company Root', from: 'trusted' } }),
  ],
  ['an ssh server whose key is known', source(SSH, {}, { system: { hostKeys: keys(['b2xk', 'bmV3']) } })],
  [
    'an ssh server whose key is not known, and ssh takes new ones',
    source(SSH, {}, { system: { hostKeys: keys([], { strict: 'accept-new' }) } }),
  ],
  [
    'an ssh server whose key an authority vouches for',
    source(SSH, {}, { system: { hostKeys: keys([], { because: 'an authority is written down for it' }) } }),
  ],
  [
    'a private repository that asks for a login over both families',
    source(URL, { credentials: true }, { system: { repository: { outcome: 'login', reason: 'denied' } } }),
  ],
  [
    'mail that leaves from an address whose name leads back to it',
    mail(
      [],
      {},
      {
        names: [dualMail, name('ci.example', reply('nodata'), reply('answer', ['2a00:1::2']))],
        system: {
          mail: [secured()],
          reverse: {
            '2a00:1::2': { outcome: 'names', names: [{ name: 'ci.example', addresses: ['2a00:1::2'] }] },
          },
        },
      },
    ),
  ],
  [
    "mail to the site's own relay, which knows its hosts",
    mail(
      [],
      {},
      {
        sources: [{ target: V6, family: 6, source: '2a00:2::77', errno: null }],
        system: { mail: [secured()], reverse: NAMELESS },
      },
    ),
  ],
  [
    'a repository that both ends reach',
    source(URL, {}, { system: { hereReach: { name: dual, path: reached(open6, open4) } } }, 'alone'),
  ],
  [
    'a repository that the worker reaches over one family, and nobody insists',
    source(
      URL,
      {},
      {
        attempts: [open4],
        system: { hereReach: { name: dual, path: reached(open6, open4) } },
      },
      'alone',
    ),
  ],
  ['a chat server', chat('irc')],
];
