import * as z from 'zod';

/**
 * The doctor's report, `bbx.doctor/1`: printed by `bbx doctor --json`, and (its findings) what a worker or master says of a
 * connection that failed. Only ever added to.
 */
export const DOCTOR_SCHEMA = 'bbx.doctor/1';

/** A check's answer. `unknown`: could not be decided; absence of evidence is never `ok`. `skip`: does not apply, or would only repeat its cause. */
export const checkStatus = z.enum(['ok', 'info', 'warn', 'error', 'skip', 'unknown']);

/** One raw observation: address, system code, milliseconds, bytes; advice stands elsewhere. Secrets never come here. */
export const evidenceObject = z.object({
  kind: z.enum(['connect', 'dns', 'file', 'proc', 'cmd', 'tls', 'peer']),
  /** What was asked: `tcp [2001:db8::2]:9989`, `AAAA ci.example from 192.0.2.53`. */
  what: z.string(),
  /** What came back: `ECONNREFUSED in 1 ms`. */
  got: z.string(),
  /** A piece of a file with marks under what is meant, each line as it is to be printed. */
  lines: z.array(z.string()).optional(),
  /** When, UTC ISO 8601. */
  at: z.string(),
});

export const fixObject = z.object({
  text: z.string(),
  /** Lines that can be pasted; never run by the doctor itself. */
  commands: z.array(z.string()).optional(),
  /** `--fix` can do it: `safe` touches bbx's own files, or those named on the command line, and nothing else. */
  auto: z.enum(['safe']).optional(),
  /** The file that `--fix` would change. */
  file: z.string().optional(),
  /** The change as a unified diff; where only the file's mode changes, the two modes. */
  patch: z.string().optional(),
});

/** `here` is a machine that is neither; a worker is named. */
export const vantage = z.string().regex(/^(here|master|worker:.+)$/);

export const findingObject = z.object({
  id: z.string(),
  status: z.enum(['error', 'warn', 'info', 'unknown']),
  /** What it is about: `master.example:9989`, `[::]:9989`, `this host`. */
  target: z.string(),
  vantage,
  title: z.string(),
  confidence: z.enum(['proven', 'likely', 'possible']),
  evidence: z.array(evidenceObject),
  /** Ids of findings that explain this one. */
  cause: z.array(z.string()),
  /** Ids of checks whose trouble this one explains. */
  explains: z.array(z.string()),
  fix: z.array(fixObject),
});

export const checkObject = z.object({
  id: z.string(),
  title: z.string(),
  status: checkStatus,
  /** Why it was skipped or is unknown: the id of the cause first, where there is one. */
  because: z.string().optional(),
  ms: z.number().nonnegative(),
});

/** One pair of ends: how far a connection gets, rung by rung (R0 name, R1 route, R2 TCP, R3 TLS, R4 identity, …), and who gets in. */
export const verdictObject = z.object({
  from: vantage,
  to: z.string(),
  plane: z.enum(['worker', 'web', 'other']),
  verdict: z.enum(['reachable', 'degraded', 'wrong-peer', 'unreachable', 'unknown']),
  /** `ok`, `fail`, `2/3` addresses, `not-tested`, `unknown`, `none` (does not apply). */
  rungs: z.record(z.string(), z.string()),
  /** Client kind → `ok 38ms via 6`, `fail`. */
  clients: z.record(z.string(), z.string()),
});

/** Which families are meant to work; one that is insisted on is a fault when it does not. */
export const intentObject = z.object({
  families: z.array(z.union([z.literal(4), z.literal(6)])),
  insists: z.array(z.union([z.literal(4), z.literal(6)])),
  /** Who said so. */
  source: z.string(),
});

/** An answer of the world as the checks got it, under the name of who asked; its form follows the program, not this schema. */
export const factObject = z.object({ probe: z.string(), about: z.string(), facts: z.unknown() });

/** What `--fix` did, or would do. */
export const changeObject = z.object({
  file: z.string(),
  /** `undone`: it was made, and taken back since nothing was better. */
  state: z.enum(['proposed', 'made', 'undone']),
  patch: z.string(),
  /** Where the former text is. */
  backup: z.string().optional(),
});

export const doctorReport = z.object({
  schema: z.literal(DOCTOR_SCHEMA),
  /** Versions of who made it. */
  bbx: z.string().optional(),
  node: z.string().optional(),
  /** When it began, UTC ISO 8601, and how long it took. */
  at: z.string().optional(),
  ms: z.number().nonnegative().optional(),
  /** Time that there was for everything together. */
  budgetMs: z.number().positive().optional(),
  /** The words behind `bbx doctor`. */
  words: z.array(z.string()).optional(),
  /** Names, addresses and keys are stand-ins of this report alone (`--share`). */
  shared: z.literal(true).optional(),
  vantage: vantage.optional(),
  intent: intentObject.optional(),
  verdict: z.enum(['ok', 'warn', 'error', 'unknown']),
  /** One token to read out to somebody: usable families, then letters for kinds of trouble. */
  code: z.string().regex(/^(0|4|6|46|64)(-[smdfw]+)?$/),
  summary: z.record(checkStatus, z.number().int().nonnegative()),
  checks: z.array(checkObject),
  findings: z.array(findingObject),
  verdicts: z.array(verdictObject),
  /** Only with `--fix`. */
  changes: z.array(changeObject).optional(),
  /** Only in a file of `--report`. */
  facts: z.array(factObject).optional(),
});

export type CheckStatus = z.infer<typeof checkStatus>;
export type Evidence = z.infer<typeof evidenceObject>;
export type Fix = z.infer<typeof fixObject>;
export type Finding = z.infer<typeof findingObject>;
export type ChangeObject = z.infer<typeof changeObject>;
export type CheckObject = z.infer<typeof checkObject>;
export type Verdict = z.infer<typeof verdictObject>;
export type DoctorReport = z.infer<typeof doctorReport>;
