import { BbxError, errnoOf, sentences } from '../../base/error.ts';
import { codes } from '../codes.ts';

/**
 * SQLSTATEs (PostgreSQL's documentation, appendix A) of a server that cannot serve now: shutting down, starting, out of connections or
 * memory, a standby that takes no writes, trouble with its own files.
 */
const AWAY = /^(08...|57P0[1-5]|53[023]00|53400|25006|25P0[34]|58...)$/;
const BUSY = /^(55P03|40001|40P01|57014)$/;
const DISK_FULL = '53100';
const DENIED = '42501';
const DAMAGED = /^XX00[12]$/;
const LOGIN = /^28...$/;
const NO_DATABASE = '3D000';
const NO_SCHEMA = '3F000';

/** Node's and OpenSSL's codes of a certificate or a handshake that is not as asked. */
const TLS = /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)|_IN_CHAIN$/;

/** What the server said, as opposed to what became of the connection. */
interface ServerError extends Error {
  code: string;
  severity: string;
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && typeof errnoOf(error) === 'string';
}

/** Whether after this error nobody knows what the server did: the connection is gone, or as good as gone. */
export function isLost(error: unknown): boolean {
  if (error instanceof BbxError) return error.code === 'BBX-STO-AWAY';
  if (!isServerError(error)) return true;
  return error.severity === 'FATAL' || error.severity === 'PANIC' || AWAY.test(error.code);
}

/**
 * An error of a statement as one with a code of ours, where it is trouble with the server; others (wrong SQL, a broken constraint)
 * stay. `store`: how it is called in messages.
 */
export function postgresError(store: string, error: unknown): Error {
  if (error instanceof BbxError) return error;
  const problem = sentences(error).join('; ');
  const options = { cause: error };
  if (isLost(error)) return codes['BBX-STO-AWAY']({ store, problem }, options);
  const { code } = error as ServerError;
  if (BUSY.test(code)) {
    return codes['BBX-STO-BUSY']({ what: `PostgreSQL gave up (${problem})`, waitedMs: 0 }, options);
  }
  if (code === DISK_FULL) return codes['BBX-STO-FULL']({ file: store }, options);
  if (code === DENIED || code === NO_SCHEMA) return codes['BBX-STO-RIGHTS']({ store, problem }, options);
  if (DAMAGED.test(code)) return codes['BBX-STO-DAMAGED']({ file: store, problem }, options);
  return error as Error;
}

/** Why a connection could not be made. Only BBX-STO-AWAY may pass by itself. */
export function connectError(store: string, error: unknown): BbxError {
  if (error instanceof BbxError) return error;
  const problem = sentences(error).join('; ');
  const options = { cause: error };
  const code = errnoOf(error) ?? '';
  // Of pg's own words there are no codes: the server asks for a password, and there is none.
  if (LOGIN.test(code) || /password must be a(?: non-empty)? string|SASL: /.test(problem)) {
    return codes['BBX-STO-LOGIN']({ store, problem }, options);
  }
  if (code === NO_DATABASE) return codes['BBX-STO-NO-DATABASE']({ store, problem }, options);
  if (code === DENIED) return codes['BBX-STO-RIGHTS']({ store, problem }, options);
  if (TLS.test(code) || /does not support SSL|establishing an SSL/.test(problem)) {
    return codes['BBX-STO-TLS']({ store, problem }, options);
  }
  return codes['BBX-STO-AWAY']({ store, problem }, options);
}
