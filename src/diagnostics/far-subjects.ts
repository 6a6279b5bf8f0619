/** A place that builds fetch from: a repository, or a host of a builder's `needs`. */
export interface SourceSubject {
  readonly kind: 'source';
  /** As people know it, without a password. */
  readonly text: string;
  readonly what: 'repository' | 'download';
  /** For git, as it was written; null: nothing for git. */
  readonly url: string | null;
  /** null: a path of this machine, or a text that cannot be read. */
  readonly host: string | null;
  readonly port: number | null;
  /** What is wrong with the text, and what to write instead. */
  readonly problem: string | null;
  readonly write: string | null;
  /** Builders that fetch from it. */
  readonly builders: readonly string[];
  /** The configuration has a login for it, which the doctor does not use. */
  readonly credentials: boolean;
  /** Directories of this machine that hold a copy: checkouts, or the poller's mirror. */
  readonly copies: readonly string[];
  readonly source: string;
}

/** A mail server that something of the farm sends through. */
export interface MailSubject {
  readonly kind: 'mail';
  readonly text: string;
  readonly host: string;
  readonly port: number;
  /** `offered`: TLS where the server offers it; `starttls`: it must; `tls`: from the first byte; `none`: never. */
  readonly tls: 'offered' | 'starttls' | 'tls' | 'none';
  /** Somebody logs in there; the doctor never does. */
  readonly user: boolean;
  /** Who connects: stock Buildbot's mail looks up A records alone. */
  readonly client: 'any' | 'twisted';
  readonly source: string;
}

/** A web service that is told of builds, by the base address of its API. */
export interface StatusSubject {
  readonly kind: 'status';
  /** Without login and query. */
  readonly text: string;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly client: 'any' | 'twisted';
  readonly source: string;
}
