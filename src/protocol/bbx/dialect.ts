/**
 * How one protocol version differs from the newest, as translations of parsed JSON at the door. The sessions only know the newest
 * form; so serving one version back is a row here, not a second session. `hello`, `greeting`, `refused`, `echo` and `echoed` are said
 * before a version is agreed and never change.
 */
export interface Dialect {
  version: number;
  /** Turns what a peer of this version says into the newest form, which zod then checks. */
  lift(message: unknown): unknown;
  /** Turns a message of the newest form into what a peer of this version reads; null when it has no word for it. */
  lower(message: object): object | null;
}

/** Versions that this program speaks, newest first. */
export const DIALECTS: readonly Dialect[] = [
  { version: 1, lift: (message) => message, lower: (message) => message },
];

const FROZEN = new Set(['hello', 'greeting', 'refused', 'echo', 'echoed']);

/** The newest version that both know; undefined when there is none. */
export function agree(dialects: readonly Dialect[], offered: readonly number[]): Dialect | undefined {
  return dialects.find(({ version }) => offered.includes(version));
}

/** JSON text → message in the newest form, not yet checked; undefined when it is not JSON. */
export function readWith(dialect: Dialect | undefined, text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (dialect === undefined || isFrozen(json)) return json;
  try {
    return dialect.lift(json);
  } catch {
    return undefined;
  }
}

/** A message in the form that the peer reads; null when its version has no word for it. */
export function writeWith(dialect: Dialect | undefined, message: object): object | null {
  return dialect === undefined || isFrozen(message) ? message : dialect.lower(message);
}

function isFrozen(message: unknown): boolean {
  const type = (message as { type?: unknown } | null)?.type;
  return typeof type === 'string' && FROZEN.has(type);
}
