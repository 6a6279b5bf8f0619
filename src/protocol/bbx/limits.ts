/** Limits of `bbx.worker.v1`. A peer that goes over one loses its connection, nobody else notices. The table is in docs/protocol.md. */
export const LIMITS = {
  /** One message before authentication: an echo of a frame's worth in base64, nothing larger. */
  greetingBytes: 128 * 1024,
  /** One JSON message. A plan of 1,000 steps with long scripts fits. */
  messageBytes: 4 * 1024 * 1024,
  /** Payload of one binary frame: a pipe's worth, small enough that a ping never waits long behind one. */
  frameBytes: 64 * 1024,
  /**
   * Bytes of one stream on the way and not acknowledged: several times what one fdatasync takes, so that the next bytes travel meanwhile. They are
   * on the disks of both sides, not in memory.
   */
  creditBytes: 16 * 1024 * 1024,
  /** Progress events of one build on the way and not acknowledged. */
  creditEvents: 256,
  /**
   * Bytes of progress messages of one build on the way and not acknowledged, where there is more than one: far above what 256 usual ones have. The
   * master has them in memory until they are stored.
   */
  creditEventBytes: 1024 * 1024,
  /** Streams that one session has open: 1,000 builds with a few logs each. */
  streams: 8_192,
  /** Builds that one session names: what `inventory` may list. */
  builds: 10_000,
  /** Bytes handed to the socket and not yet sent, per session; above it nothing more of logs and events is produced. */
  unsentBytes: 256 * 1024,
  /** Bytes handed to the socket and not yet sent at which the peer counts as not reading: two of the largest messages. */
  backlogBytes: 8 * 1024 * 1024,
  /** Received and not yet handled, per session, in bytes; above it the socket is not read. */
  queueBytes: 1024 * 1024,
  /** Received and not yet handled, per session, in messages. */
  queueMessages: 256,
  /** Echoes that a session may ask for at once, and how many more it earns each second. */
  echoBurst: 16,
  echoPerSecond: 4,
  /** From `pause` to `paused`: what is on the way comes first, which is some MiB on a link of some KiB/s. */
  pauseMs: 300_000,
  /** Connections that rest for a probe (`hold`), per master. */
  holds: 32,
  /** Each side pings this often; any received byte counts as life. */
  pingEveryMs: 15_000,
  /** Nothing received for so long: the link is dead (two pings missed). */
  silenceMs: 35_000,
  /** From the accepted connection to `accepted`. */
  authenticationMs: 10_000,
  /** A refusal leaves this long after `authenticate` came, whatever had to be looked up: an unknown name and a wrong key look alike. */
  refusalMs: 300,
  /** Connections that are not authenticated, per master. */
  unauthenticated: 256,
  /** Acknowledgements wait at most so long for company: one fdatasync serves many frames. */
  acknowledgeMs: 100,
} as const;

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };
