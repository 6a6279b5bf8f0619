import type { ExitCode } from './exit.ts';

/**
 * One kind of trouble, as a row of a door's `codes.ts`. Command line, API, log and doctor print this row and nothing else, so a
 * sentence is written once.
 */
export interface ErrorRow<Data> {
  /** `Action "quoted value": state; what to do`, without a final full stop. */
  message: (data: Data) => string;
  /** The next command or change to try; undefined when the message says it all. */
  hint?: (data: Data) => string | undefined;
  exit: ExitCode;
  /** Whether the same call may succeed later with nothing changed by the caller. */
  retryable?: boolean;
  /** What it means and what helps, for the page docs/errors.md. */
  about: string;
}

/** Trouble that has a name: the user's, the network's or a peer's, never a fault of bbx itself (that is any other `Error`). */
export class BbxError extends Error {
  override readonly name = 'BbxError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly exit: ExitCode;
  readonly retryable: boolean;
  /** The values that the sentence was made of, for programs and for evidence. Never a secret. */
  readonly data: Readonly<Record<string, unknown>>;

  constructor(init: {
    code: string;
    message: string;
    hint?: string | undefined;
    exit: ExitCode;
    retryable?: boolean | undefined;
    data?: Readonly<Record<string, unknown>>;
    cause?: unknown;
  }) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.hint = init.hint;
    this.exit = init.exit;
    this.retryable = init.retryable ?? false;
    this.data = init.data ?? {};
  }

  /** The form of `--json` on stderr and of the API's error answers. */
  toJSON(): { code: string; message: string; hint?: string; retryable: boolean } {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      retryable: this.retryable,
    };
  }
}

/** Makes a row; exists so that the row's data type is written once, at the row. */
export function row<Data extends object>(definition: ErrorRow<Data>): ErrorRow<Data> {
  return definition;
}

// A table holds rows of different data types; each maker below gives its row's type back.
type Rows = Record<string, ErrorRow<never>>;
type DataOf<Row> = Row extends ErrorRow<infer Data> ? Data : never;

/** A door's table of codes: one maker per row, `codes.rows` for the page that documents them. */
export type ErrorCodes<Table extends Rows> = {
  readonly [Code in keyof Table]: (data: DataOf<Table[Code]>, options?: { cause?: unknown }) => BbxError;
} & { readonly rows: Readonly<Table> };

/**
 * Turns a table of rows into makers: `const codes = defineCodes({ 'BBX-NET-REFUSED': row<{…}>({…}) })`, then
 * `throw codes['BBX-NET-REFUSED']({ address }, { cause })`.
 */
export function defineCodes<const Table extends Rows>(rows: Table): ErrorCodes<Table> {
  const makers = Object.entries(rows).map(([code, definition]) => {
    const typed = definition as unknown as ErrorRow<Record<string, unknown>>;
    const make = (data: Record<string, unknown>, options: { cause?: unknown } = {}) =>
      new BbxError({
        code,
        data,
        message: typed.message(data),
        hint: typed.hint?.(data),
        exit: typed.exit,
        retryable: typed.retryable,
        cause: options.cause,
      });
    return [code, make];
  });
  return Object.assign(Object.fromEntries(makers), { rows }) as ErrorCodes<Table>;
}

/**
 * All sentences of an error, outermost first, with causes and the members of an `AggregateError` unfolded: Node's aggregate has an
 * empty message and the code of its first member only, so it must never be printed alone.
 */
export function sentences(error: unknown): string[] {
  const found: string[] = [];
  const visit = (value: unknown) => {
    if (value === undefined || value === null) return;
    const text = value instanceof Error ? value.message : String(value);
    if (text !== '' && !found.includes(text)) found.push(text);
    if (value instanceof AggregateError) value.errors.forEach(visit);
    if (value instanceof Error) visit(value.cause);
  };
  visit(error);
  return found.length > 0 ? found : ['unknown error'];
}

/** The system's code (`ECONNREFUSED`, `ENOENT`) of an error, when it has one. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
