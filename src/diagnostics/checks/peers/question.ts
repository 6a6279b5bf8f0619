import { TARGET_TOPICS, type CheckContext } from '../../check.ts';
import type { PeerFact, PeerKind } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';

export const topics = ['ipv6', ...TARGET_TOPICS] as const;

/** Before it can be asked who answers, somebody must, and no hop of the way for him. */
export const ANSWERED = ['PTH-01', 'PRO-03', 'PRX-02', 'PRX-05', 'PRX-06'] as const;
/** Why it is another who answers, the likeliest first. */
export const WHY_ANOTHER = ['PRX-08', 'PTH-01', 'PRO-03', 'PRX-06'] as const;

export interface PeersAt {
  readonly at: string;
  readonly peers: readonly PeerFact[];
  /** Why nobody there could be asked. */
  readonly lost?: string;
}

/** Speaks to whoever answers at each address. */
export const gather = async (context: CheckContext, target: TargetSubject): Promise<PeersAt> => {
  const at = new Date().toISOString();
  if (noPeer(target) !== undefined) return { at, peers: [] };
  if (target.via !== undefined) {
    const { failure } = await context.probes.way(target);
    if (failure !== null) return { at, peers: [], lost: failure.message };
  }
  const peers = await context.probes.peers(target);
  return { at, peers, ...(peers.length === 0 && target.via === undefined ? { lost: 'PTH-01' } : {}) };
};

/** Why nobody is spoken to, or undefined. */
export function noPeer(target: TargetSubject): string | undefined {
  if (target.port === undefined) return 'only the name is in question';
  if (target.protocol === 'tcp') return 'nothing but TCP is asked for';
  if (target.protocol === 'tls') return 'nothing but TLS is asked for';
  return target.stopped;
}

/** What each kind of answer says it is. */
export const PEER_NAMES: Readonly<Record<PeerKind, string>> = {
  bbx: 'a bbx master',
  http: 'a web server (HTTP)',
  ssh: 'an SSH server',
  smtp: 'a mail server (SMTP)',
  ftp: 'an FTP server',
  imap: 'a mail server (IMAP)',
  pop3: 'a mail server (POP3)',
  redis: 'a Redis server',
  mysql: 'a MySQL server',
  pb: 'a stock Buildbot master (Perspective Broker)',
  msgpack: 'a stock Buildbot master (msgpack)',
  tls: 'a TLS server that is not bbx',
  silent: 'something that never speaks',
  closed: 'something that closes at once',
  other: 'something unknown',
};
