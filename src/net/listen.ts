import { chmod, readFile, unlink } from 'node:fs/promises';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { BbxError, errnoOf } from '../base/error.ts';
import { codes } from './codes.ts';
import { printHostPort } from './endpoint/host.ts';
import type { ListenAddress } from './endpoint/listen-address.ts';
import { printListen } from './endpoint/listen-address.ts';
import type { Connection } from './hops/connection.ts';
import { endsOf, guard } from './peer.ts';
import { listenersOn, parseIfInet6, parseTcpTable } from './proc.ts';
import type { TlsServer, TlsServerOptions } from './tls/server.ts';
import { createTlsServer } from './tls/server.ts';

/** Connections that the kernel holds for a master that is busy; the kernel cuts it to somaxconn. */
const BACKLOG = 511;
/** After `close`, what is open may end by itself for so long. */
const CLOSE_GRACE_MS = 1_000;
/** Tries to find a port that is free on both loopback addresses. */
const PORT_TRIES = 20;

export interface ListenOptions {
  addresses: readonly ListenAddress[];
  /**
   * Called for each connection, after its TLS handshake where there is TLS. The stream has a listener for errors. Until a promise that it gives is settled the
   * connection counts among those of TLS that are not let in.
   */
  onConnection(connection: Connection): unknown;
  tls?: TlsServerOptions;
  /** Called for each connection at once, before anything is said on it. */
  onAccept?(ends: { peer: string; local: string }): void;
}

export interface Listener {
  /** What is really bound, printed: `[::]:9989`, `127.0.0.1:9989`, `unix:/path`. */
  readonly bound: readonly string[];
  /** Sentences about what is not as asked, such as a host without IPv6. */
  readonly notes: readonly string[];
  /** The port of the first address that has one. */
  readonly port: number | undefined;
  /** Takes no more connections; what is open may end by itself for `graceMs` (1 s) and is then destroyed. */
  close(graceMs?: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Listens on every address, or on none. `::` takes both families whatever `bindv6only` says, and IPv4 alone, with a note, where the
 * host has no IPv6; `localhost` is both loopback addresses, with one port where the system chooses it.
 * @throws BbxError BBX-NET-IN-USE, BBX-NET-PRIVILEGE, BBX-NET-NOT-OURS or BBX-NET-LISTEN
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const open = new Set<Socket>();
  const servers: Server[] = [];
  const notes: string[] = [];
  const tls: TlsServer | undefined =
    options.tls === undefined ? undefined : createTlsServer(options.tls, options.onConnection);
  function onClose(this: Socket): void {
    open.delete(this);
  }
  const onSocket = (socket: Socket) => {
    guard(socket).setNoDelay(true);
    open.add(socket);
    options.onAccept?.(endsOfAny(socket));
    socket.on('close', onClose);
    if (tls !== undefined) tls.secure(socket);
    else
      void options.onConnection({ stream: socket, ...endsOfAny(socket), secured: undefined, evidence: [] });
  };
  const bind: Bind = async (target) => {
    // Nothing is read of one that waits for its handshake: what it sends stays in the kernel.
    const server = createServer({ allowHalfOpen: false, pauseOnConnect: tls !== undefined }, onSocket);
    await start(server, target);
    servers.push(server);
    return server;
  };
  const release = async (server: Server) => {
    servers.splice(servers.indexOf(server), 1);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const endsOfAny = (socket: Socket) =>
    socket.remoteAddress === undefined && socket.localAddress === undefined
      ? { peer: 'unix:', local: 'unix:' }
      : endsOf(socket);

  try {
    for (const address of options.addresses) await bindOne(address, { bind, release }, notes);
  } catch (error) {
    await closeAll(servers, open, 0);
    throw error;
  }

  const infos = servers.map((server) => server.address());
  const close = (graceMs = CLOSE_GRACE_MS) => closeAll(servers, open, graceMs);
  return {
    bound: infos.map((info) =>
      typeof info === 'string' ? `unix:${info}` : printHostPort(info?.address ?? '', info?.port ?? 0),
    ),
    notes,
    port: infos.find((info): info is AddressInfo => typeof info === 'object' && info !== null)?.port,
    close,
    [Symbol.asyncDispose]: () => close(0),
  };
}

type Bind = (target: Target) => Promise<Server>;
type Target = { host: string; port: number } | { path: string };
interface Binder {
  bind: Bind;
  /** Gives up one that was bound. */
  release(server: Server): Promise<void>;
}
type TcpListen = Extract<ListenAddress, { kind: 'tcp' }>;

async function bindOne(address: ListenAddress, binder: Binder, notes: string[]): Promise<void> {
  if (address.kind === 'unix') return bindUnix(address.path, binder);
  if (address.host === 'localhost') return bindLoopback(address, binder, notes);
  let wanted = address;
  // With IPv6 switched off by sysctl a bind of `::` succeeds and takes IPv4 only, so success proves nothing.
  if (address.host === '::' && !(await hostHasIpv6())) {
    notes.push(`This host has no IPv6: listening on IPv4 alone for ${printListen(address)}`);
    wanted = { ...address, host: '0.0.0.0' };
  }
  await bindTcp(wanted, binder);
}

function bindTcp(address: TcpListen, { bind }: Binder): Promise<Server> {
  return bind({ host: address.host, port: address.port }).catch((error: unknown) =>
    explainAndThrow(address, error),
  );
}

/** Only the owner may connect (mode 0600). A socket that a killed program left behind is taken over. */
async function bindUnix(path: string, { bind }: Binder): Promise<void> {
  const address = { kind: 'unix', path } as const;
  try {
    await bind({ path });
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE' || !(await isAbandoned(path))) await explainAndThrow(address, error);
    await unlink(path).catch(() => undefined);
    await bind({ path }).catch((second: unknown) => explainAndThrow(address, second));
  }
  await chmod(path, 0o600);
}

/** Whether nobody listens any more on a socket that is there. Only a refusal proves it. */
function isAbandoned(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error) => resolve(errnoOf(error) === 'ECONNREFUSED'));
  });
}

/** Both loopback addresses; the one that is there, with a note, on a host that lacks a family. */
async function bindLoopback(address: TcpListen, binder: Binder, notes: string[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const six = await unlessMissing(bindTcp({ ...address, host: '::1' }, binder));
    const port = six instanceof BbxError ? address.port : (six.address() as AddressInfo).port;
    try {
      const four = await unlessMissing(bindTcp({ ...address, host: '127.0.0.1', port }, binder));
      if (six instanceof BbxError && four instanceof BbxError) throw four;
      const asked = printListen(address);
      if (six instanceof BbxError)
        notes.push(`This host has no ::1: listening on 127.0.0.1 alone for ${asked}`);
      if (four instanceof BbxError)
        notes.push(`This host has no 127.0.0.1: listening on ::1 alone for ${asked}`);
      return;
    } catch (error) {
      // The port that the system chose for one family may be taken in the other.
      const another = address.port === 0 && error instanceof BbxError && error.code === 'BBX-NET-IN-USE';
      if (!another || tries >= PORT_TRIES || six instanceof BbxError) throw error;
      await binder.release(six);
    }
  }
}

/** The error itself where the address is not one of this host. */
async function unlessMissing(bound: Promise<Server>): Promise<Server | BbxError> {
  try {
    return await bound;
  } catch (error) {
    if (error instanceof BbxError && error.code === 'BBX-NET-NOT-OURS') return error;
    throw error;
  }
}

function start(server: Server, target: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Always an explicit host: without one Node ignores what is said about families.
    server.listen({ ...target, backlog: BACKLOG, exclusive: true }, () => {
      server.off('error', reject);
      // Too many open files at accept, for instance: the connection is lost, the server goes on.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

/** Whether any interface has an IPv6 address; true where the system does not say (other than Linux). */
async function hostHasIpv6(): Promise<boolean> {
  try {
    return parseIfInet6(await readFile('/proc/net/if_inet6', 'latin1')).length > 0;
  } catch (error) {
    return process.platform !== 'linux' || errnoOf(error) !== 'ENOENT';
  }
}

async function explainAndThrow(address: ListenAddress, error: unknown): Promise<never> {
  const errno = errnoOf(error) ?? 'unknown error';
  const printed = printListen(address);
  switch (errno) {
    case 'EADDRINUSE':
      throw codes['BBX-NET-IN-USE'](
        { address: printed, holders: await holdersOf(address) },
        { cause: error },
      );
    case 'EACCES':
      throw codes['BBX-NET-PRIVILEGE']({ address: printed }, { cause: error });
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      throw codes['BBX-NET-NOT-OURS']({ address: printed, errno }, { cause: error });
    default:
      throw codes['BBX-NET-LISTEN']({ address: printed, problem: errno }, { cause: error });
  }
}

async function holdersOf(address: ListenAddress): Promise<string[]> {
  if (address.kind === 'unix') return [];
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'latin1').catch(() => '')),
  );
  return listenersOn(tables.flatMap(parseTcpTable), address.port, address.host);
}

async function closeAll(
  servers: readonly Server[],
  open: ReadonlySet<Socket>,
  graceMs: number,
): Promise<void> {
  const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
  const timer = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, graceMs);
  await Promise.all(closed);
  clearTimeout(timer);
}
