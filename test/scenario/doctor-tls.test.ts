import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx } from '../rigs/bbx.ts';
import { days, issue } from '../rigs/certificates.ts';
import { freePort, startFarm } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const ca = issue({ subject: 'test CA', authority: true });
const stranger = issue({ subject: 'another CA', authority: true });
const middle = issue({ subject: 'intermediate CA', issuer: ca, authority: true });
const good = issue({ subject: 'leaf', issuer: ca, names: ['localhost', '127.0.0.1', '::1'] });
const of = (more: Partial<Parameters<typeof issue>[0]>) =>
  issue({ subject: 'leaf', issuer: ca, names: ['localhost', '127.0.0.1', '::1'], ...more });

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function bound(server: Server, host = '127.0.0.1', port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(port, host);
  await once(server, 'listening');
  open.push({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  return (server.address() as AddressInfo).port;
}

const talk = (socket: Socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
};
const secure = (options: TlsOptions, host?: string) =>
  bound(createTlsServer({ cert: good.cert, key: good.key, ...options }, talk), host);

async function doctor(...words: string[]) {
  const dir = await tempDir();
  open.push(dir);
  await writeFile(join(dir.path, 'ca.pem'), ca.cert);
  const ran = await bbx(['doctor', ...words, '--json'], { cwd: dir.path, env: { HOME: dir.path } });
  const report = ran.json<DoctorReport>();
  const grave = report.findings.filter(({ status }) => status === 'error' || status === 'warn');
  return { ran, report, grave, ids: grave.map(({ id }) => id) };
}

/** What listens, how it is asked, the one root that must be found, its words, and its status. */
const CASES: [
  title: string,
  listen: () => Promise<string>,
  root: string | undefined,
  words: RegExp,
  status?: 'warn',
][] = [
  ['all is well', async () => `localhost:${await secure({})}`, undefined, /^/],
  ['all is well over IPv6, by address', async () => `[::1]:${await secure({}, '::1')}`, undefined, /^/],
  [
    'F60 no subjectAltName',
    async () => {
      const leaf = issue({ subject: 'localhost', issuer: ca });
      return `localhost:${await secure(leaf)}`;
    },
    'TLS-03',
    /has no subjectAltName/,
    'warn',
  ],
  [
    'F61 wrong host',
    async () => `localhost:${await secure(of({ names: ['ci.example'] }))}`,
    'TLS-03',
    /is not for localhost/,
  ],
  [
    'F62 an IPv6 address that the certificate does not name',
    async () => `[::1]:${await secure(of({ names: ['localhost'] }), '::1')}`,
    'TLS-03',
    /is not for ::1: it names no address/,
  ],
  [
    'F63 expired',
    async () => `localhost:${await secure(of({ from: days(-90), to: days(-2) }))}`,
    'TLS-04',
    /has expired on/,
  ],
  [
    'not valid yet',
    async () => `localhost:${await secure(of({ from: days(2) }))}`,
    'TLS-04',
    /is valid only from/,
  ],
  [
    'soon to expire',
    async () => `localhost:${await secure(of({ from: days(-80), to: days(5) }))}`,
    'TLS-04',
    /expires in (4|5) days/,
    'warn',
  ],
  [
    'F64 unknown authority',
    async () => `localhost:${await secure(of({ issuer: stranger }))}`,
    'TLS-02',
    /its issuer is CN=another CA/,
  ],
  [
    'a missing intermediate certificate',
    async () => `localhost:${await secure(of({ issuer: middle }))}`,
    'TLS-02',
    /its issuer is CN=intermediate CA, and the server sent no intermediate certificate/,
  ],
  [
    'an intermediate certificate that is sent',
    async () => {
      const leaf = of({ issuer: middle });
      return `localhost:${await secure({ key: leaf.key, cert: leaf.cert + middle.cert })}`;
    },
    undefined,
    /^/,
  ],
  [
    'signed by itself',
    async () => `localhost:${await secure(issue({ subject: 'localhost', names: ['localhost'] }))}`,
    'TLS-02',
    /is signed by itself/,
  ],
  [
    'F65 old versions alone',
    async () =>
      `localhost:${await secure({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' })}`,
    'TLS-08',
    /speaks TLSv1\.1 and nothing newer/,
  ],
  [
    'F66 no application protocol in common',
    async () => `localhost:${await secure({ ALPNProtocols: ['imap'] })}`,
    'TLS-08',
    /refuses clients that offer HTTP by ALPN/,
    'warn',
  ],
  [
    'F67 a client certificate is wanted',
    async () => `localhost:${await secure({ requestCert: true, rejectUnauthorized: true, ca: ca.cert })}`,
    'TLS-07',
    /wants a certificate of the client/,
  ],
  [
    'F68 plain text',
    async () =>
      `localhost:${await bound(createServer((socket) => void socket.write('220 mail.example ESMTP\r\n')))}`,
    'TLS-06',
    /it is a mail server \(SMTP\) in plain text/,
  ],
  [
    'F68 closed',
    async () => `localhost:${await bound(createServer((socket) => void socket.end()))}`,
    'TLS-06',
    /closes the connection when TLS is offered/,
  ],
  [
    'F68 silent',
    async () => `localhost:${await bound(createServer(() => undefined))}`,
    'TLS-06',
    /says nothing to a TLS greeting/,
  ],
];

let webPort = 0;
async function ports(): Promise<{ workers: string; web: string }> {
  webPort = await freePort('127.0.0.1');
  return { workers: `127.0.0.1:${await freePort('127.0.0.1')}`, web: `127.0.0.1:${webPort}` };
}

describe('bbx doctor tls', () => {
  it.each(CASES)('%s', async (_title, listen, root, words, status) => {
    const where = await listen();
    const { ran, grave, ids, report } = await doctor('tls', where, '--ca', 'ca.pem');
    expect(ids).toEqual(root === undefined ? [] : [root]);
    expect(grave[0]?.title ?? '').toMatch(words);
    expect(grave[0]?.status ?? 'error').toBe(status ?? 'error');
    expect(ran.code).toBe(root === undefined || status === 'warn' ? 0 : 1);
    if (root === undefined) expect(report.verdicts[0]).toMatchObject({ rungs: { R3: 'ok', R4: 'none' } });
  });

  it('compares the certificates of both families', async () => {
    const four = await secure({}, '127.0.0.1');
    await bound(createTlsServer(of({}), talk), '::1', four);
    const { grave } = await doctor('tls', `localhost:${four}`, '--ca', 'ca.pem');
    expect(grave).toMatchObject([
      {
        id: 'TLS-05',
        status: 'warn',
        title: expect.stringContaining('one over IPv4 and one over IPv6') as string,
      },
    ]);
  });

  it('judges by another name, and by the usual authorities', async () => {
    const port = await secure(of({ names: ['ci.example'] }));
    expect((await doctor('tls', `127.0.0.1:${port}`, '--name', 'ci.example', '--ca', 'ca.pem')).ids).toEqual(
      [],
    );
    expect((await doctor('tls', `127.0.0.1:${port}`, '--name', 'ci.example')).ids).toEqual(['TLS-02']);
  });

  it('tells a wrong clock by the Date of a web server, and makes it the cause of a date that looks wrong', async () => {
    const leaf = of({ from: days(-90), to: days(-2) });
    const server = createHttpsServer(leaf, (_request, response) => {
      response.sendDate = false;
      response.setHeader('Date', days(-30).toUTCString());
      response.end('ok');
    });
    const { grave } = await doctor('tls', `localhost:${await bound(server)}`, '--ca', 'ca.pem');
    expect(grave).toMatchObject([
      {
        id: 'CLK-01',
        status: 'error',
        explains: ['TLS-04'],
        title: expect.stringContaining('30 days ahead of') as string,
      },
    ]);
  });

  it('looks at the certificate of a web server that is reached', async () => {
    const server = createHttpsServer(
      of({ from: days(-90), to: days(-2) }),
      (_request, response) => void response.end('ok'),
    );
    const port = await bound(server);
    const { ids } = await doctor('reach', `localhost:${port}`, '--protocol', 'http');
    expect(ids).toContain('TLS-04');
  });

  it('knows the master behind its web port, and a web server that passes no WebSocket on', async () => {
    const farm = await startFarm({ config: 'workers: { w1: {} }\n', listen: await ports() });
    open.push(farm);
    const web = farm.address.replace(/\d+$/, String(webPort));
    const through = await doctor('reach', `ws://${web}/bbx/worker`);
    expect(through.ids).toEqual([]);
    expect(through.report.verdicts[0]).toMatchObject({ rungs: { R4: 'ok' } });
    const path = await doctor('reach', `ws://${web}/elsewhere`);
    expect(path.grave).toMatchObject([{ id: 'PRO-07' }]);
    const plain = createHttpServer((_request, response) => void response.writeHead(400).end());
    const other = await doctor('reach', `ws://127.0.0.1:${await bound(plain)}/bbx/worker`);
    expect(other.grave).toMatchObject([
      { id: 'PRO-07', title: expect.stringContaining('it answered 400') as string },
    ]);
  });

  it('refuses a file of authorities that is none, before anything is sent', async () => {
    const dir = await tempDir();
    open.push(dir);
    await writeFile(join(dir.path, 'ca.pem'), 'nothing');
    const none = await bbx(['doctor', 'tls', 'localhost:1', '--ca', 'ca.pem'], { cwd: dir.path });
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it holds no certificate') as string,
    });
    const missing = await bbx(['doctor', 'tls', 'localhost:1', '--ca', 'other.pem'], { cwd: dir.path });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('ENOENT') as string });
  });
});
