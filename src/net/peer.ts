import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { familyOf, printHostPort, printIpv6 } from './endpoint/host.ts';

/** An address and port as everything prints them; an IPv4 peer of a dual-stack socket (`::ffff:192.0.2.1`) as what it is. */
export function printPeer(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const host = mapped ?? (familyOf(address) === 6 ? printIpv6(address) : address);
  return printHostPort(host, port ?? 0);
}

/** Both ends of a connection, printed. */
export function endsOf(socket: Socket): { peer: string; local: string } {
  return {
    peer: printPeer(socket.remoteAddress, socket.remotePort),
    local: printPeer(socket.localAddress, socket.localPort),
  };
}

const ignore = () => undefined;

/** Every stream handed out has a listener, so that a fault which comes before its owner listens ends no process. */
export function guard<S extends Duplex>(stream: S): S {
  stream.on('error', ignore);
  return stream;
}
