import type { CertificateOrder } from '../stage/certificates.ts';
import type { Manner, TlsManner } from '../stage/recipe.ts';
import type { LabCase } from './case.ts';

const M4 = '11.0.2.2';
const M6 = '2a00:2::2';

/** Something on the master's port that is no master. */
const onMasterPort = (id: string, title: string, does: Manner, root: readonly string[]): LabCase => ({
  id,
  title,
  recipe: { listeners: { M: [{ host: '::', port: 9989, does }] } },
  doctor: ['reach', 'dual.test:9989'],
  root,
  target: 'dual.test:9989',
});

const RIGHT = ['dual.test', M4, M6];
/** A TLS server, and who looks at it with the lab's authority in hand. */
const onTls = (
  id: string,
  title: string,
  certificate: Partial<CertificateOrder>,
  root: readonly string[],
  more: { tls?: Partial<TlsManner>; host?: string; does?: Manner; words?: readonly string[] } = {},
): LabCase => {
  const host = more.host ?? 'dual.test';
  const does = more.does ?? { tls: { certificate: { names: RIGHT, ...certificate }, ...more.tls } };
  return {
    id,
    title,
    recipe: { listeners: { M: [{ host: '::', port: 443, does }] } },
    doctor: ['tls', `${host}:443`, '--ca', 'ca.pem', ...(more.words ?? [])],
    root,
    also: ['TLS-01'],
    target: `https://${host}:443`,
  };
};

const socks = (login: string) => `microsocks -i 0.0.0.0 -p 1080 ${login} > /dev/null 2>&1 &`;
const VIA_PROXY = ['--via', 'http://11.0.1.1:3128'];

/** Who answers, and what stands between. */
export const PEERS: readonly LabCase[] = [
  onMasterPort('F36', 'a web server on the port', { says: 'http' }, ['PRO-01']),
  onMasterPort('F37', 'it accepts and never speaks', { says: 'nothing' }, ['PRO-03']),
  onMasterPort('F38', 'a stock Buildbot master on the port', { says: 'pb' }, ['PRO-01', 'PRO-02']),
  onTls('F60', 'TLS: no subjectAltName', { names: [], commonName: 'dual.test' }, ['TLS-03']),
  onTls('F61', 'TLS: the certificate is for another name', { names: ['other.test'] }, ['TLS-03']),
  onTls('F62', 'TLS: an IPv6 literal, and no IP in the certificate', { names: ['dual.test'] }, ['TLS-03'], {
    host: `[${M6}]`,
  }),
  onTls('F63', 'TLS: expired yesterday', { from: -90, until: -1 }, ['TLS-04']),
  onTls('F63n', 'TLS: not yet valid', { from: 2, until: 90 }, ['TLS-04', 'CLK-01']),
  onTls('F63s', 'TLS: expires in a week', { from: -83, until: 7 }, ['TLS-04']),
  onTls('F64', 'TLS: an authority that nobody knows', { signedBy: 'stranger' }, ['TLS-02']),
  onTls('F64s', 'TLS: signed by itself', { signedBy: 'itself' }, ['TLS-02']),
  onTls('F64i', 'TLS: the intermediate certificate is not sent', { signedBy: 'intermediate-kept-back' }, [
    'TLS-02',
  ]),
  onTls('F64o', 'TLS: the intermediate certificate is sent', { signedBy: 'intermediate' }, []),
  onTls('F65', 'TLS: nothing newer than 1.1', {}, ['TLS-08', 'TLS-01'], { tls: { maxVersion: 'TLSv1.1' } }),
  onTls('F66', 'TLS: another protocol is wanted (ALPN)', {}, ['TLS-08'], {
    tls: { alpn: ['lab'] },
    words: ['--protocol', 'http'],
  }),
  onTls('F67', 'TLS: a client certificate is wanted', {}, ['TLS-07'], { tls: { clientCertificate: true } }),
  onTls('F68', 'TLS: the port speaks plain HTTP', {}, ['TLS-06'], { does: { says: 'http' } }),
  onTls('F68c', 'TLS: the port closes at once', {}, ['TLS-06', 'TLS-01', 'PRO-03'], {
    does: { says: 'goodbye' },
  }),
  onTls('F68s', 'TLS: the port says nothing', {}, ['TLS-06', 'TLS-01', 'PRO-03'], {
    does: { says: 'nothing' },
  }),
  onTls('F69', 'TLS: all is well', {}, []),
  {
    id: 'F70',
    title: 'behind a proxy that lets the port through',
    recipe: { plan: 'connect-proxy', master: { listen: '[::]:9989' } },
    doctor: ['reach', 'dual.test:9989', ...VIA_PROXY],
    root: [],
    verdict: 'reachable',
  },
  {
    id: 'F70p',
    title: 'behind a proxy that forbids the port',
    recipe: { plan: 'connect-proxy', master: { listen: '[::]:9990' } },
    doctor: ['reach', 'dual.test:9990', ...VIA_PROXY],
    root: ['PRX-02'],
    verdict: 'unreachable',
  },
  {
    id: 'F70d',
    title: 'behind a proxy, and nobody at the target',
    recipe: { plan: 'connect-proxy' },
    doctor: ['reach', 'dual.test:9989', ...VIA_PROXY],
    root: ['PRX-02'],
    also: ['PTH-01', 'PTH-04'],
    verdict: 'unreachable',
  },
  {
    id: 'F71',
    title: 'a SOCKS proxy that wants a password, and none is known',
    recipe: {
      setup: { R: [socks('-u u -P right')] },
      master: { listen: '[::]:9989' },
      programs: ['microsocks'],
    },
    doctor: ['reach', 'dual.test:9989', '--via', 'socks5://11.0.1.1:1080'],
    root: ['PRX-05'],
    verdict: 'unreachable',
  },
  {
    id: 'F71b',
    title: 'a SOCKS proxy, and the wrong password',
    recipe: {
      setup: { R: [socks('-u u -P right')] },
      master: { listen: '[::]:9989' },
      files: { netrc: 'machine 11.0.1.1 login u password wrong\n' },
      env: { NETRC: './netrc' },
      programs: ['microsocks'],
    },
    doctor: ['reach', 'dual.test:9989', '--via', 'socks5://11.0.1.1:1080'],
    root: ['PRX-05'],
    verdict: 'unreachable',
  },
  {
    id: 'F71o',
    title: 'a SOCKS proxy, and the right password',
    recipe: {
      setup: { R: [socks('-u u -P right')] },
      master: { listen: '[::]:9989' },
      files: { netrc: 'machine 11.0.1.1 login u password right\n' },
      env: { NETRC: './netrc' },
      programs: ['microsocks'],
    },
    doctor: ['reach', 'dual.test:9989', '--via', 'socks5://11.0.1.1:1080'],
    root: [],
    verdict: 'reachable',
  },
  {
    id: 'F72',
    title: 'a tunnel whose far end is dead',
    recipe: {
      listeners: {
        W: ['127.0.0.1', '::1'].map((host) => ({ host, port: 7000, does: { forwards: `${M4}:9989` } })),
      },
    },
    doctor: ['reach', 'localhost:7000'],
    root: ['PRX-06'],
    also: ['PRO-01', 'PRO-03'],
    target: 'localhost:7000',
  },
  {
    id: 'F76',
    title: 'a listener as a socket unit hands it over',
    recipe: { listeners: { W: [{ host: '::', port: 7400 }] } },
    doctor: ['ipv6', '--listen', '[::]:7400'],
    root: [],
  },
];
