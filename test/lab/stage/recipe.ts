import type { CertificateOrder } from './certificates.ts';

/** The three hosts of the lab: worker, router, master. The doctor runs on W. */
export type HostName = 'W' | 'R' | 'M';

/** How the network between them is made; `plans.ts` has the addresses of each. */
export const PLANS = ['dual', 'v4', 'v6', 'nat64', 'ula', 'connect-proxy', 'tunnel', 'container'] as const;
export type Plan = (typeof PLANS)[number];

/** What a nameserver says to one type of a name. `silence` never answers, `flood` answers with more than fits, many times. */
export type Answer =
  | readonly string[]
  | 'SERVFAIL'
  | 'REFUSED'
  | 'NXDOMAIN'
  | 'silence'
  | 'garbage'
  | 'flood'
  | { readonly afterMs: number; readonly addresses: readonly string[] }
  /** Cut over UDP; whole over TCP, unless nobody answers there. */
  | { readonly truncated: readonly string[]; readonly tcp: boolean };

/** A type that is missing is NODATA, a name that is missing NXDOMAIN. */
export type Names = Readonly<
  Record<string, { readonly A?: Answer; readonly AAAA?: Answer; readonly PTR?: Answer }>
>;

export interface Nameserver {
  /** Default: every address of the router that the plan has, on port 53. */
  readonly at?: readonly string[];
  readonly names?: Names;
  /** Makes AAAA out of A (RFC 6147) with this /96. */
  readonly dns64?: string;
  /** Asked whatever, it says nothing. */
  readonly dead?: boolean;
}

/** What a listener does with whoever connects. */
export type Manner =
  | { readonly says: 'ssh' | 'smtp' | 'pb' }
  /** HTTP/1.1; its Date header is off by so many seconds. */
  | { readonly says: 'http'; readonly clockOff?: number }
  | { readonly says: 'nothing' | 'goodbye' | 'garbage' | 'flood' }
  /** TLS that is refused by an alert of RFC 8446 section 6, whatever is offered. */
  | { readonly alert: number }
  /** A master of bbx that speaks this version of the protocol alone. */
  | { readonly masterOfVersion: number }
  /** Mail, with the address's own extensions of EHLO and greeting. */
  | { readonly smtp: MailManner }
  /** A tunnel's near end; `as`: the system calls its program so. */
  | { readonly forwards: string; readonly as?: 'ssh' }
  /** Its accept queue is full and nobody takes from it. */
  | { readonly full: true }
  | { readonly tls: TlsManner };

export interface MailManner {
  readonly greeting?: string;
  readonly extensions?: readonly string[];
  /** STARTTLS is offered as well, with this certificate; inside it the extensions are the same. */
  readonly startTls?: CertificateOrder;
}

export interface TlsManner {
  readonly certificate: CertificateOrder;
  readonly maxVersion?: 'TLSv1.1' | 'TLSv1.2';
  readonly alpn?: readonly string[];
  /** Refuses who has no certificate of the lab's own authority. */
  readonly clientCertificate?: boolean;
  /** It answers a connection's first bytes so late. */
  readonly afterMs?: number;
  /** Inside TLS; default: HTTP. */
  readonly says?: 'smtp';
}

export interface Listener {
  readonly host: string;
  readonly port: number;
  readonly ipv6Only?: boolean;
  readonly does?: Manner;
}

/** A fault as it is made. All lines are shell, run as root of the host's network. */
export interface Recipe {
  readonly plan?: Plan;
  /** Before anything listens. */
  readonly setup?: Partial<Record<HostName, readonly string[]>>;
  /** When everything listens. */
  readonly after?: Partial<Record<HostName, readonly string[]>>;
  /** Names beside the plan's own: `dual.test`, `four.test` and `six.test`, which are M. */
  readonly names?: Names;
  /** Instead of the one nameserver on the router. */
  readonly nameservers?: readonly Nameserver[];
  readonly listeners?: Partial<Record<HostName, readonly Listener[]>>;
  /** A real master of bbx, on M unless `on` says otherwise, at this address; `clockOff` s ahead. Its directory is `$STAGE/master`; `reach` is what it tells workers. */
  readonly master?: {
    readonly listen: string;
    readonly clockOff?: number;
    readonly on?: HostName;
    readonly reach?: string;
    /** Where its web port listens; nowhere that anybody knows, when it is not said. */
    readonly web?: string;
  };
  /** Another master, with a key of its own, on R. */
  readonly secondMaster?: { readonly listen: string };
  /** Files of /etc; `hosts` stands behind the lines of localhost. */
  readonly etc?: Partial<Record<'hosts' | 'resolv.conf' | 'gai.conf' | 'nsswitch.conf', string>>;
  /** Files of the directory that the doctor is started in. */
  readonly files?: Readonly<Record<string, string>>;
  /** Units of a user's own systemd, which runs then; `$STAGE` in them is the stage's directory, in whose `here` the doctor is started. */
  readonly units?: Readonly<Record<string, string>>;
  /** Environment of the doctor. */
  readonly env?: Readonly<Record<string, string>>;
  /** Words before the doctor's call: `prlimit --nofile=25`, `setpriv …`. */
  readonly under?: readonly string[];
  /** Programs that it needs beside those of the lab itself. */
  readonly programs?: readonly Program[];
}

export type Program =
  | 'nft'
  | 'tayga'
  | 'tinyproxy'
  | 'microsocks'
  | 'git'
  | 'buildbot'
  | 'sshd'
  | 'ping'
  | 'mtr'
  | 'systemctl'
  | 'chronyd';
