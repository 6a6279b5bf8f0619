/** Limits of `bbx.worker.v1`. A peer that goes over one loses its connection, nobody else notices. The table is in docs/protocol.md. */
export const LIMITS = {
  /** One JSON message. A plan of 1,000 steps with long scripts fits. */
  messageBytes: 4 * 1024 * 1024,
  /** Payload of one binary frame: a pipe's worth, small enough that a ping never waits long behind one. */
  frameBytes: 64 * 1024,
  /** Bytes of one stream on the way and not acknowledged. */
  creditBytes: 1024 * 1024,
  /** Bytes handed to the socket and not yet sent, per session; above it nothing more is produced. */
  unsentBytes: 256 * 1024,
  /** Each side pings this often; any received byte counts as life. */
  pingEveryMs: 15_000,
  /** Nothing received for so long: the link is dead (two pings missed). */
  silenceMs: 35_000,
  /** From the accepted connection to `accepted`. */
  authenticationMs: 10_000,
  /** Connections that are not authenticated, per master. */
  unauthenticated: 256,
  /** Acknowledgements wait at most so long for company: one fdatasync serves many frames. */
  acknowledgeMs: 100,
} as const;
