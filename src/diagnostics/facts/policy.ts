/** What turns the order of the families on this host: files, and options of Node. */
export interface PolicyFacts {
  readonly at: string;
  /** Lines of gai.conf that are no comments. */
  readonly gai: readonly { readonly line: number; readonly text: string }[];
  /** By those lines an IPv4 address stands before a global IPv6 address (RFC 6724 has it the other way round). */
  readonly prefersIpv4: boolean;
  /** Options of Node that concern connections, with where they stand. */
  readonly node: readonly NodeOption[];
}

export interface NodeOption {
  /** `--dns-result-order=ipv4first`, `NODE_TLS_REJECT_UNAUTHORIZED=0`. */
  readonly text: string;
  /** `this shell`, or the program and its process: `the master in . (pid 812)`. */
  readonly where: string;
}
