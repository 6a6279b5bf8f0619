/** What a repository said to `git ls-remote`. */
export interface RepositoryFact {
  readonly at: string;
  readonly outcome: 'ok' | 'login' | 'missing' | 'failed' | 'late' | 'no git';
  /** git's last line. */
  readonly reason: string | null;
  readonly ms: number;
}

/** Where the parts of a repository come from. */
export interface NestedFacts {
  readonly at: string;
  /** The copy that was looked into; null: there is none on this machine. */
  readonly copy: string | null;
  readonly parts: readonly {
    readonly what: 'submodule' | 'LFS';
    /** As it is written, without a password. */
    readonly url: string;
  }[];
}
