import type { Attempt } from './evidence.ts';

/** What was being done when the system said no. `lookup` is getaddrinfo, `resolve` a question to a nameserver. */
export type Operation = 'connect' | 'listen' | 'lookup' | 'resolve';

export interface Explanation {
  /** What the code means here, in half a sentence. */
  meaning: string;
  /** Where to look first. */
  suspect: string;
}

interface Row extends Explanation {
  operation: Operation;
  errno: string;
  /** Only for refusals by our own kernel (true), only for answers from outside (false), or both (undefined). */
  local?: boolean;
}

/** No answer at all has no errno; this word stands for it in the table. */
export const SILENCE = 'silence';

/** First row that fits counts. Measured with Node; see the catalogue of diagnostics. */
const ROWS: readonly Row[] = [
  {
    operation: 'connect',
    errno: 'ECONNREFUSED',
    meaning: 'refused: the host is there, and nothing takes connections on this address and port',
    suspect: 'a program that is not running or listens on the other address family; a firewall that rejects',
  },
  {
    operation: 'connect',
    errno: SILENCE,
    meaning: 'no answer at all',
    suspect: 'a firewall or security group that drops; a wrong address; a full accept queue',
  },
  {
    operation: 'connect',
    errno: 'ETIMEDOUT',
    meaning: 'no answer at all',
    suspect: 'a firewall or security group that drops; a wrong address; a full accept queue',
  },
  {
    operation: 'connect',
    errno: 'EHOSTUNREACH',
    local: true,
    meaning: 'our own routing table says unreachable',
    suspect: 'an `unreachable` route on this host',
  },
  {
    operation: 'connect',
    errno: 'EHOSTUNREACH',
    meaning: 'the host did not answer its neighbours, or a router refuses to pass this on',
    suspect: 'the host is down, the wrong network, a stale AAAA record; a filter on a router',
  },
  {
    operation: 'connect',
    errno: 'ENETUNREACH',
    local: true,
    meaning: 'this host has no route there',
    suspect: 'a missing default route of that family; for IPv6, no router advertisement',
  },
  {
    operation: 'connect',
    errno: 'ENETUNREACH',
    meaning: 'a router on the path has no route there',
    suspect: 'routing beyond this host',
  },
  {
    operation: 'connect',
    errno: 'EACCES',
    local: true,
    meaning: 'our own routing or container policy forbids it',
    suspect: 'a `prohibit` route, policy routing, or the container; not file permissions',
  },
  {
    operation: 'connect',
    errno: 'EACCES',
    meaning: 'a firewall answered that this is forbidden',
    suspect: 'a filter on a router or on the host itself; not file permissions',
  },
  {
    operation: 'connect',
    errno: 'EPERM',
    meaning: 'a firewall on this host forbids it',
    suspect: 'an OUTPUT rule of nftables or iptables',
  },
  {
    operation: 'connect',
    errno: 'EINVAL',
    meaning: 'the address cannot be used as it is',
    suspect: 'a link-local address (fe80::) without its zone, an unknown zone, or a blackhole route',
  },
  {
    operation: 'connect',
    errno: 'ENODEV',
    meaning: 'the zone of the address is no interface of this host',
    suspect: 'the name after %',
  },
  {
    operation: 'connect',
    errno: 'ENXIO',
    meaning: 'the zone of the address is no interface of this host',
    suspect: 'the name after %',
  },
  {
    operation: 'connect',
    errno: 'EADDRNOTAVAIL',
    meaning: 'this host has no address of that family to connect from',
    suspect: 'a family disabled by sysctl; or all local ports in use',
  },
  {
    operation: 'connect',
    errno: 'EAFNOSUPPORT',
    meaning: 'the kernel has no support for that address family',
    suspect: 'IPv6 left out of the kernel or switched off at boot',
  },
  {
    operation: 'connect',
    errno: 'EMFILE',
    meaning: 'this process may not open more files',
    suspect: 'ulimit -n',
  },
  {
    operation: 'connect',
    errno: 'ENFILE',
    meaning: 'this host may not open more files',
    suspect: 'fs.file-max',
  },
  {
    operation: 'connect',
    errno: 'ECONNRESET',
    meaning: 'the connection was cut as soon as it was made',
    suspect: 'a proxy or tunnel with a dead far end; a firewall that resets',
  },
  {
    operation: 'connect',
    errno: 'ENOENT',
    meaning: 'there is no such socket',
    suspect: 'the program that makes it is not running',
  },
  {
    operation: 'listen',
    errno: 'EADDRINUSE',
    meaning:
      'somebody else holds this port, perhaps on another address (0.0.0.0, 127.0.0.1 and ::1 each block ::)',
    suspect: 'the holder: ss -ltnp',
  },
  {
    operation: 'listen',
    errno: 'EADDRNOTAVAIL',
    meaning: 'this is not an address of this host, or it is not ready',
    suspect: 'the address; duplicate address detection; IPv6 switched off',
  },
  {
    operation: 'listen',
    errno: 'EAFNOSUPPORT',
    meaning: 'the kernel has no support for that address family',
    suspect: 'IPv6 left out of the kernel or switched off at boot',
  },
  {
    operation: 'listen',
    errno: 'EACCES',
    meaning: 'ports below ip_unprivileged_port_start need a privilege',
    suspect: 'a higher port; or CAP_NET_BIND_SERVICE, or a socket unit',
  },
  {
    operation: 'listen',
    errno: 'EINVAL',
    meaning: 'the address cannot be used as it is',
    suspect: 'a link-local address (fe80::) without its zone, or an unknown zone',
  },
  {
    operation: 'listen',
    errno: 'EMFILE',
    meaning: 'this process may not open more files',
    suspect: 'ulimit -n',
  },
  {
    operation: 'lookup',
    errno: 'ENOTFOUND',
    meaning: 'the system has no address of that family for the name',
    suspect: 'the name; or an answer that was filtered because this host lacks the family',
  },
  {
    operation: 'lookup',
    errno: 'EAI_AGAIN',
    meaning: 'no nameserver gave a usable answer',
    suspect: 'nameservers that are silent, refuse, or answer garbage; no nameserver set',
  },
  {
    operation: 'lookup',
    errno: SILENCE,
    meaning: 'the system’s resolver gave no answer in time',
    suspect: 'a nameserver in /etc/resolv.conf that is dead',
  },
  {
    operation: 'resolve',
    errno: 'ENODATA',
    meaning: 'the name exists, without such a record',
    suspect: 'the zone',
  },
  { operation: 'resolve', errno: 'ENOTFOUND', meaning: 'the name does not exist', suspect: 'the name' },
  {
    operation: 'resolve',
    errno: 'ESERVFAIL',
    meaning: 'the nameserver could not find out',
    suspect: 'the zone’s own servers, or DNSSEC',
  },
  {
    operation: 'resolve',
    errno: 'EREFUSED',
    meaning: 'the nameserver refuses to answer this',
    suspect: 'a filter, or the wrong nameserver',
  },
  {
    operation: 'resolve',
    errno: 'EBADRESP',
    meaning: 'the nameserver answered garbage',
    suspect: 'a middlebox on port 53',
  },
  {
    operation: 'resolve',
    errno: SILENCE,
    meaning: 'the nameserver did not answer',
    suspect: 'its address; a firewall on port 53',
  },
  {
    operation: 'resolve',
    errno: 'ETIMEOUT',
    meaning: 'the nameserver did not answer',
    suspect: 'its address; a firewall on port 53',
  },
  {
    operation: 'resolve',
    errno: 'ECONNREFUSED',
    meaning: 'nothing listens there, or no nameserver is set at all',
    suspect: '/etc/resolv.conf',
  },
];

/** Meaning and first suspect of a system's code, or undefined for a code that the table does not have. */
export function explain(
  operation: Operation,
  errno: string | undefined,
  local = false,
): Explanation | undefined {
  const found = ROWS.find(
    (row) =>
      row.operation === operation && row.errno === errno && (row.local === undefined || row.local === local),
  );
  return found && { meaning: found.meaning, suspect: found.suspect };
}

/** The explanation of an attempt to connect; undefined for one that got through, and for a code that no row has. */
export function explainAttempt(attempt: Attempt): Explanation | undefined {
  if (attempt.result === 'connected') return undefined;
  return explain('connect', attempt.result === 'refused' ? attempt.errno : SILENCE, attempt.local);
}
