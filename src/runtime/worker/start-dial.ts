import { dial } from '../../net/dial.ts';
import { parseAddress } from '../../net/endpoint/address.ts';
import type { Hop } from '../../net/endpoint/hop.ts';
import type { OnEvidence } from '../../net/evidence.ts';
import { openWebSocket } from '../../net/web-socket.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../../protocol/bbx/keys.ts';
import { WORKER_SUBPROTOCOL } from '../../protocol/bbx/wire.ts';
import type { Dialled } from './link.ts';

/** Connects to a master's worker port: the route, TLS with the pinned key as its innermost layer, and the WebSocket inside that. */
export async function dialMaster(
  target: string,
  options: { via: readonly Hop[]; pins: readonly string[]; signal: AbortSignal; onEvidence?: OnEvidence },
): Promise<Dialled> {
  const { via, pins, signal, onEvidence } = options;
  const connection = await dial(
    { to: parseAddress(target), via, tls: pins.length > 0 ? { pins } : { firstContact: true } },
    { signal, ...(onEvidence === undefined ? {} : { onEvidence }) },
  );
  const exporter = connection.secured?.exporter(EXPORTER_LABEL, EXPORTER_BYTES) ?? new Uint8Array();
  const socket = await openWebSocket(connection.stream, {
    target,
    protocol: WORKER_SUBPROTOCOL,
    unseen: connection.secured !== undefined,
    signal,
  });
  return { socket, peer: connection.peer, local: connection.local, exporter };
}
