import type { Generated } from 'kysely';

/**
 * The rows of the store, with Buildbot's names. Times are epoch seconds (double), booleans 0 or 1, `*_json` columns hold JSON text,
 * `results` are numbers of build/results.ts and null until complete. The same schema stands on SQLite and PostgreSQL.
 */
export interface Tables {
  /** Facts about the store itself: `schema` (number of the last migration) and `epoch`. */
  meta: { key: string; value: string };

  builders: {
    builderid: Generated<number>;
    name: string;
    /** 0 when the configuration no longer names it; its builds stay readable. */
    active: number;
    next_number: Generated<number>;
  };

  workers: {
    workerid: Generated<number>;
    name: string;
    /** `pending`: came without a join string and waits for approval; `removed`: refused until added again. */
    state: 'invited' | 'pending' | 'approved' | 'removed';
    /** SPKI of its key (DER, base64), null until it first came. */
    public_key: string | null;
    paused: number;
    /** Last inventory: maxBuilds, facts, software. */
    info_json: string;
    /** Address of the last session. */
    last_peer: string | null;
    last_seen_at: number | null;
    created_at: number;
    /** Somebody asked the master to give it nothing more: the start of its process (`boot`) that this holds for, empty while it is away. */
    draining_boot: string | null;
  };

  /** A session of a worker each, as the master saw it. */
  link_sessions: {
    linkid: Generated<number>;
    workerid: number;
    /** The name that both sides have for it. */
    session: string;
    /** Random for each start of the master's process. */
    life: string;
    /** Random for each start of the worker's process. */
    boot: string;
    /** The worker's address. */
    peer: string;
    opened_at: number;
    /** Monotonic ms without a session before this one; null when the master was started in between. */
    away_ms: number | null;
    /** How far the master's clock was ahead of the worker's, seconds; null: the worker did not say. */
    ahead: number | null;
    /** When the master last wrote about it: where it ends when the master is killed. */
    seen_at: number;
    closed_at: number | null;
    /** Since the last byte, at the end. */
    silent_ms: number | null;
    /** Closing code; null when the master was killed. */
    code: number | null;
    reason: string | null;
    closed_by: string | null;
    /** Round trip: median of the last minute, and the longest of all. */
    rtt_ms: number | null;
    rtt_max_ms: number | null;
    pings: Generated<number>;
    missed: Generated<number>;
    /** Bytes of messages and frames. */
    received: Generated<number>;
    sent: Generated<number>;
  };
  /** What workers wrote down about their links themselves, JSON of `linkFact` in protocol/bbx. */
  link_facts: {
    factid: Generated<number>;
    workerid: number;
    boot: string;
    number: number;
    /** By the master's clock. */
    at: number;
    /** By the worker's. */
    said_at: number;
    fact_json: string;
  };

  /** Join secrets. Only the SHA-256 of a secret is kept. */
  joins: {
    joinid: Generated<number>;
    secret_sha256: string;
    /** One name, or a pattern with `*` for several uses. */
    names: string;
    uses: number;
    /** Uses so far; counted by a conditional update, so that two masters never give away the same last one. */
    used: Generated<number>;
    expires_at: number;
    created_at: number;
  };
  /** Who used a join: the same key may come again with the same secret until it expires. */
  join_uses: { joinid: number; worker_name: string; public_key: string; used_at: number };

  changes: {
    changeid: Generated<number>;
    repository: string;
    branch: string;
    revision: string;
    author: string;
    comments: string;
    files_json: string;
    when_timestamp: number;
    received_at: number;
    properties_json: string;
  };

  /** Where a repository's branch was at the last look, so that a restart neither misses nor repeats a push. */
  poll_state: { repository: string; branch: string; revision: string };
  /** One row a repository: when it was last polled and, if it failed, with which finding. */
  polls: { repository: string; polled_at: number; error_json: string | null };

  /** A scheduler's memory between starts, its own JSON. */
  scheduler_state: { scheduler: string; state_json: string };
  /** Changes that a scheduler has accepted and not yet built (the tree-stable timer runs). */
  scheduler_changes: { scheduler: string; changeid: number };

  buildsets: {
    buildsetid: Generated<number>;
    reason: string;
    scheduler: string | null;
    /** The source stamp: what to build. */
    repository: string | null;
    branch: string | null;
    revision: string | null;
    properties_json: string;
    submitted_at: number;
    complete_at: number | null;
    results: number | null;
  };
  /** Which changes a buildset answers. */
  buildset_changes: { buildsetid: number; changeid: number };

  buildrequests: {
    buildrequestid: Generated<number>;
    buildsetid: number;
    builderid: number;
    priority: number;
    submitted_at: number;
    /** Set while a build of it runs. */
    claimed_at: number | null;
    /** Tries that ended without a result (lost workers); three of them end it as `exception`. */
    attempts: Generated<number>;
    complete_at: number | null;
    results: number | null;
    /** Of one that was cancelled before a build of it began; empty where none was given. */
    cancel_reason: string | null;
  };

  builds: {
    buildid: Generated<number>;
    builderid: number;
    number: number;
    buildrequestid: number;
    workerid: number;
    attempt: number;
    /** The lease: `attempt-16 hex digits`. Everything that comes with another token is refused. */
    token: string;
    /** Set when the master lost the worker while this ran; the grace counts from here. */
    lost_at: number | null;
    /** How long its worker goes on without the master, as it was told with the assignment, in seconds; null: as long as it takes. */
    orphan_after: number | null;
    /** Progress events stored so far; the next one expected is this plus one. */
    sequence: Generated<number>;
    /** The plan as it was sent, with references to secrets only. */
    plan_json: string;
    started_at: number;
    complete_at: number | null;
    results: number | null;
    state_string: string;
    properties_json: string;
    /** Set when somebody asked to stop it: reason; kept so that a restart does not forget it. */
    cancel_reason: string | null;
    /** 1 when retention removed the files of its logs. */
    logs_pruned: Generated<number>;
  };

  steps: {
    stepid: Generated<number>;
    buildid: number;
    number: number;
    name: string;
    started_at: number | null;
    complete_at: number | null;
    results: number | null;
    state_string: string;
    rc: number | null;
    signal: string | null;
  };

  logs: {
    logid: Generated<number>;
    stepid: number;
    name: string;
    /** Bytes known to be on disk when the row was last written; the file may be longer while the log is open. */
    bytes: number;
    complete: number;
    sha256: string | null;
    /** 1 when retention removed the file. */
    pruned: Generated<number>;
    /** Newlines in it; null while it grows. */
    lines: number | null;
    /** How it was compared when it was complete, a `Receipt` of build/receipt.ts; null while it grows, and for logs of an older bbx. */
    receipt: string | null;
    /** The bytes of one that was small when it ended, as small-log.ts writes them; null: they are in its file. */
    content: Generated<string | null>;
    /** Bytes of the command's output that the log's limit has left out. */
    cut: Generated<number>;
  };

  /** Everything that changed, in order; readers keep their own position. Kept for a week. */
  events: { eventid: Generated<number>; at: number; type: string; payload_json: string };
}
