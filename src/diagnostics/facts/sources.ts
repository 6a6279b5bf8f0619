import type { NameFacts } from './names.ts';
import type { PathFacts } from './paths.ts';

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
    /** Where ssh's configuration leads, if that is elsewhere. */
    readonly ssh: SshWay | null;
  }[];
}

/** A host key as files of known hosts and servers have it. */
export interface HostKey {
  /** `ssh-ed25519`, or a marker: `@cert-authority`, `@revoked`. */
  readonly type: string;
  /** Base64. */
  readonly key: string;
}

/** The keys that an ssh server shows, beside those that this user's ssh knows for it. */
export interface HostKeyFact {
  readonly at: string;
  /** As files of known hosts have it: `git.example`, `[git.example]:2222`. */
  readonly name: string;
  /** Where it listens, by ssh's configuration. */
  readonly scanned: { readonly host: string; readonly port: number };
  readonly files: readonly string[];
  /** StrictHostKeyChecking, as `ssh -G` says it. */
  readonly strict: string;
  readonly known: readonly HostKey[];
  readonly shown: readonly HostKey[];
  /** Why nothing was compared. */
  readonly because: string | null;
}

/** Where ssh goes for a repository, by its own configuration (`ssh -G`). */
export interface SshWay {
  /** The host that the URL names, which may be an alias. */
  readonly written: string;
  readonly host: string;
  readonly port: number;
  /** `ProxyJump gate.example`: another host connects; null: this one does. */
  readonly through: string | null;
}

/** A host of sources with its addresses and what connecting to them gave. */
export interface Reached {
  readonly text: string;
  readonly name: NameFacts;
  readonly path: PathFacts;
}
