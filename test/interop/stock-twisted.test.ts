import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTwistedClient } from '../../src/net/endpoint/twisted-client.ts';
import { TwistedRefusal } from '../../src/net/endpoint/twisted-call.ts';
import { parseTwistedServer } from '../../src/net/endpoint/twisted-server.ts';
import { has } from '../rigs/debian.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { tempDir } from '../rigs/temp-dir.ts';

/** Debian's Python is the one that Debian's Twisted is installed for. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('../fixtures/stock/endpoints.py', import.meta.url));
const skip = skipAloud(
  'endpoint strings beside a real Twisted',
  has('buildbot') ? undefined : 'Twisted is not installed (Debian: buildbot)',
);

type Side = 'server' | 'client';
interface Said {
  kind?: string;
  host?: string | null;
  port?: number | null;
  path?: string | null;
  error?: string[];
  words?: string;
}

let dir = '';
beforeAll(async () => {
  dir = (await tempDir()).path;
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x'],
      ...['-keyout', join(dir, 'key.pem'), '-out', join(dir, 'crt.pem')],
    ],
    { stdio: 'ignore' },
  );
  execFileSync('sh', ['-c', 'cat key.pem crt.pem > server.pem'], { cwd: dir });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What Twisted says, each text in the directory where a `server.pem` is. */
function askTwisted(cases: readonly (readonly [Side, string])[]): Said[] {
  const answer = execFileSync(PYTHON, [PROGRAM], {
    cwd: dir,
    input: JSON.stringify(cases),
    encoding: 'utf8',
  });
  return JSON.parse(answer) as Said[];
}

const KINDS: Readonly<Record<string, string>> = {
  TCP4ServerEndpoint: 'tcp',
  SSL4ServerEndpoint: 'ssl',
  TCP6ServerEndpoint: 'tcp6',
  UNIXServerEndpoint: 'unix',
  StandardIOEndpoint: 'stdio',
  TCP4ClientEndpoint: 'tcp',
  SSL4ClientEndpoint: 'ssl',
  UNIXClientEndpoint: 'unix',
  tls: 'tls',
};

/** Both verdicts in one form; the class of an exception, or what would be listened on or dialled. */
function ours(side: Side, text: string): string {
  try {
    const read = side === 'server' ? parseTwistedServer(text) : parseTwistedClient(text);
    if (!('port' in read)) return read.kind;
    if ('through' in read && read.through !== undefined)
      return ours(side, read.through).replace(/^\S+/, read.kind);
    return `${read.kind} ${JSON.stringify(read.host)} ${Number.isNaN(read.port) ? 'number' : read.port}`;
  } catch (error) {
    if (!(error instanceof TwistedRefusal)) throw error;
    return error.error;
  }
}

function theirs(said: Said, classes: string): string {
  if (said.error !== undefined) {
    // Of ssl: Twisted opens the files before it looks at the numbers; a string that has both faults is refused for either.
    const refused = said.error.includes(classes) || (said.error.includes('OSError') && isRefusal(classes));
    return refused ? classes : said.error.join(' ');
  }
  const kind = KINDS[said.kind ?? ''] ?? said.kind ?? '';
  if (said.port == null) return kind;
  return `${kind} ${JSON.stringify(said.host)} ${/^\S+ .* number$/.test(classes) ? 'number' : said.port}`;
}

const isRefusal = (verdict: string) => /^[A-Z]\w*(?:Error|Exception)$/.test(verdict);

function compare(cases: readonly (readonly [Side, string])[]): void {
  const said = askTwisted(cases);
  const both = cases.map(([side, text], index) => {
    const mine = ours(side, text);
    return { text, mine, twisted: theirs(said[index] ?? {}, mine), words: said[index]?.words };
  });
  expect(both.filter(({ mine, twisted }) => mine !== twisted)).toEqual([]);
}

const SERVERS = [
  // Of two faults the method's is found first.
  'ssl:interface=:::ssl:1',
  'ssl:9989:sslmethod=TLSv1_2_METHOD',
  'tcp:9989',
  String.raw`tcp:9989:interface=\:\:`,
  String.raw`tcp:9989:interface=\:\:1`,
  'tcp:9989:interface=127.0.0.1',
  'tcp:9989:interface=::',
  'tcp:9989:interface=::1',
  'tcp:9989:interface=[::]',
  'tcp:[::]:9989',
  String.raw`tcp:9989:interface=\\:\\:`,
  String.raw`tcp:9989:interface=[\:\:]`,
  'tcp6:9989',
  'tcp6:9989:interface=::',
  String.raw`tcp6:9989:interface=\:\:1`,
  'TCP:9989',
  'TCP6:9989',
  'tcp:9989:',
  'tcp: 9989',
  'tcp:9989:interface=',
  'tcp:9989:interface=localhost',
  'ssl:9989',
  'ssl:9989:privateKey=key.pem:certKey=crt.pem',
  '9989',
  'tcp',
  'tcp:',
  'tcp:9989:backlog=x',
  'tcp:interface=127.0.0.1:9989',
  'port=9989:tcp',
  'port=9989',
  'tcp:9989\\',
  'unix:/run/x:mode=9',
  'unix:/run/x:mode=660',
  'systemd:INET',
  '',
];

const CLIENTS = [
  'tls:INET:9989',
  'tcp:host=ci.example:port=9989',
  'tcp:ci.example:9989',
  String.raw`tcp:host=\:\:1:port=9989`,
  'tcp:host=::1:port=9989',
  'tcp:host=2001:db8::2:port=9989',
  'tcp:host=[::1]:port=9989',
  'tls:host=ci.example:port=9989',
  String.raw`tls:host=\:\:1:port=9989`,
  'tls:ci.example:9989',
  'tcp6:host=ci.example:port=9989',
  'ssl:host=ci.example:port=9989',
  'tcp:host=ci.example',
  'tcp:9989:host=ci.example',
  'TLS:host=ci.example:port=x',
  'tls:host=ci_x.example:port=1',
  'tls:host=127.0.0.1:port=1',
  String.raw`tls:host=\:\:1:port=1:endpoint=tcp\:host=ci\:port=1`,
  'tcp:a:b:c:host=x:port=1',
  'tcp:host=a:port=1:nonsense=1',
  'unix:/run/x',
  'unix:path=/run/x:timeout=a',
  'ws://ci.example:9989',
  'tcp:host=a:port=1_0',
  'tcp:host=a:port=١٢',
];

describe.skipIf(skip)('endpoint strings, beside a real Twisted', () => {
  it('have the verdict that Twisted gives to each known one', () => {
    compare([
      ...SERVERS.map((text) => ['server', text] as const),
      ...CLIENTS.map((text) => ['client', text] as const),
    ]);
  });

  it('have the verdict that Twisted gives to any', () => {
    const piece = fc.constantFrom(
      ...['tcp', 'ssl', 'tls', 'unix', 'tcp6', 'TCP', 'stdio', 'systemd', 'INET', 'x', ''],
      ...[':', ':', ':', '=', '\\', '\\:', '\\:\\:', '::', '[', ']', '::1', ' ', '_', '-', '+'],
      ...['port', 'host', 'interface', 'backlog', 'timeout', 'mode', 'bindAddress', 'endpoint', 'factory'],
      ...['9989', '1', '0', '127.0.0.1', 'ci.example', 'localhost', 'privateKey', 'server.pem', 'path'],
    );
    const parted = fc
      .array(
        fc.oneof(
          fc.tuple(piece, piece).map(([name, value]) => `${name}=${value}`),
          piece,
        ),
        { maxLength: 6 },
      )
      .map((parts) => parts.join(':'));
    const kind = fc.constantFrom('tcp', 'tcp', 'tls', 'unix', 'tcp6', 'ssl');
    const text = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
      fc.tuple(kind, parted).map(([word, rest]) => `${word}:${rest}`),
    );
    const drawn = fc.sample(fc.tuple(fc.constantFrom<Side>('server', 'client'), text), 3_000);
    compare(drawn.filter(([, words]) => isComparable(words)));
  });
});

/** Files that are not there, sockets that were not inherited and plugins' own insides are beyond the grammar. */
function isComparable(text: string): boolean {
  const opensFiles = /(certificate|privateKey|certKey|trustRoots|caCertsDir|extraCertChain|dhParameters)/;
  return !/^(systemd|haproxy)/i.test(text) && !opensFiles.test(text) && !/^ssl:(\\.|[^=\\])*:/.test(text);
}
