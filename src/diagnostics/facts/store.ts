/** What one question to a master's store gave. */
export interface StoreFacts {
  readonly at: string;
  /** Without a password. */
  readonly store: string;
  /** From the beginning of the connection to the answer. */
  readonly ms: number;
  /** Null: it answered. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
}
