import type { Finding, Fix } from '../api/doctor.ts';
import { kindOf } from '../net/address-kind.ts';
import { printHostPort } from '../net/endpoint/host.ts';
import type { Side, SideAttempt } from './compare-sides.ts';

/** What two ends together say of one try to connect. */
export interface Conclusion {
  readonly id: string;
  readonly status: 'error' | 'info';
  readonly title: string;
  readonly confidence: Finding['confidence'];
  readonly seen: string;
  readonly fix: Fix;
}

/** The table of the two ends: what the dialler saw against what the listener's host has. Undefined: all is well. */
export function conclude(attempt: SideAttempt, dialler: Side, listener: Side): Conclusion | undefined {
  const { address, family, port, outcome, errno } = attempt;
  const { rows, attempts: own } = listener.listeners.get(port) ?? { rows: undefined, attempts: [] };
  // A listener for probes does not tell its host's name.
  const sameHost =
    listener.hostname === undefined ||
    (dialler.hostname !== undefined && dialler.hostname === listener.hostname);
  const loopback = kindOf(address) === 'loopback';
  const owned = loopback ? sameHost : (listener.addresses?.includes(address) ?? true);
  const there = printHostPort(address, port);
  const seen =
    rows === undefined
      ? 'listeners could not be read'
      : rows.map((row) => printHostPort(row.address, row.port)).join(', ') || 'nothing listens';
  const say = (
    id: string,
    title: string,
    confidence: Finding['confidence'],
    fix: Fix,
    status: Conclusion['status'] = 'error',
  ): Conclusion => ({ id, title, confidence, fix, status, seen });

  if (outcome === 'connected') {
    const instance = dialler.met.find((peer) => peer.address === address)?.instance;
    if (instance != null && listener.instances.length > 0 && !listener.instances.includes(instance))
      return say('PRO-01', `Another master answers at ${there}`, 'proven', {
        text: 'Compare the two keys; point the name, the forward or the proxy to the right host',
      });
    const nonce = dialler.nonces.find((one) => one.address === address)?.nonce;
    if (
      nonce !== undefined &&
      listener.accepted !== undefined &&
      !listener.accepted.some((one) => one.nonce === nonce)
    )
      return say('PRO-01', `Something else answered at ${there}: the other end saw nothing of it`, 'proven', {
        text: 'Look for a proxy, a tunnel, a port forward, or a second host with this address',
      });
    if (owned) return undefined;
    return say(
      'PTH-13',
      `The way to ${there} is translated: the other end has no such address`,
      'likely',
      { text: 'No fault; rules by address see the translated one' },
      'info',
    );
  }
  if (loopback && !sameHost)
    return say('DNS-06', `${there} is the dialling host itself, not the other end`, 'proven', {
      text: "Use an address of the other end's host",
    });
  if (!owned)
    return say(
      'PTH-04',
      `${there} is no address of the other end: the name, or a translation of addresses, leads elsewhere`,
      'likely',
      {
        text: `Addresses of the other end: ${(listener.addresses ?? []).filter((one) => kindOf(one) !== 'loopback').join(', ')}`,
      },
    );
  const covering = rows?.filter((row) => takes(row, family, own));
  if (covering?.length === 0) {
    if (rows?.length === 0)
      return say('LSN-01', `Nothing listens on port ${port} at the other end`, 'proven', {
        text: 'Start the program there',
        commands: ['bbx run master'],
      });
    return say('LSN-02', `The other end does not listen on IPv${family}, port ${port}`, 'proven', {
      text: `Listen on [::]:${port}, which takes both families`,
    });
  }
  if (covering?.every((row) => kindOf(row.address) === 'loopback'))
    return say('LSN-08', `The other end listens on loopback alone, port ${port}`, 'proven', {
      text: `Listen on [::]:${port}`,
    });
  if (outcome === 'silent') {
    const from = dialler.nonces.find((one) => one.address === address)?.localEnd ?? undefined;
    const took = listener.accepted?.some((one) => from !== undefined && one.peer === from);
    if (took === true)
      return say('PTH-04', `What the other end answers from ${there} is lost on the way back`, 'proven', {
        text: 'Look for asymmetric routes and stateful filters on the way back',
      });
    return say(
      'PTH-04',
      `Packets to ${there} are dropped on the way: the other end listens and takes its own connections`,
      covering === undefined ? 'possible' : 'likely',
      {
        text: 'Let the port through the firewalls between the two; to see whether a packet arrives, on the other end:',
        commands: [`tcpdump -ni any 'tcp dst port ${port} and tcp[tcpflags] & tcp-syn != 0'`],
      },
    );
  }
  if (errno === 'ECONNREFUSED')
    return say('PTH-04', `A filter between the two refuses ${there}: the other end listens there`, 'likely', {
      text: 'Look for reject rules on both hosts and between, and for a network namespace (container) that has the port to itself',
      commands: ['nft list ruleset'],
    });
  return say(
    'PTH-04',
    `${there} cannot be reached from the dialling end (${errno ?? outcome}), while the other end listens`,
    'likely',
    {
      text: 'Look at the routes of the dialling end',
      commands: [`ip route get ${address}`],
    },
  );
}

/** Whether a row takes connections of a family; `[::]` takes IPv4 too, unless the listener's own host was refused. */
function takes(row: { family: 4 | 6; address: string }, family: 4 | 6, own: readonly SideAttempt[]): boolean {
  if (row.family === family) return true;
  if (row.address !== '::') return false;
  return !own.some((attempt) => attempt.family === 4 && attempt.errno === 'ECONNREFUSED');
}
