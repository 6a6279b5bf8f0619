import { request, type Dispatcher } from 'undici';
import type * as z from 'zod';
import { errorAnswer, exitOfStatus } from '../api/error-answer.ts';
import { routes, type AnswerOf, type Route, type RouteName } from '../api/routes.ts';
import { printDuration } from '../base/duration.ts';
import { BbxError, errnoOf } from '../base/error.ts';
import { codes } from './codes.ts';

/** Limit of one call: a busy master answers in milliseconds, and one whose store is away says so after ten seconds. */
const CALL_TIMEOUT_MS = 15_000;

type Values = Readonly<Record<string, unknown>>;

/** The two ways in which HTTP is used here: a call with a checked answer, and a stream of bytes. */
export interface Caller {
  call<Name extends RouteName>(
    name: Name,
    input: object,
    options: { signal?: AbortSignal | undefined; timeoutMs?: number },
  ): Promise<AnswerOf<Name>>;
  stream(
    path: string,
    input: { params?: Values; query?: Values },
    options: { what: string; signal?: AbortSignal | undefined },
  ): Promise<AsyncIterable<Uint8Array>>;
  readonly dir: string;
}

/** Calls over a master's control socket. Every failure is a BbxError: the master's own, or BBX-API-… about the way to it. */
export function createCaller(
  dispatcher: Dispatcher,
  { socket, dir }: { socket: string; dir: string },
): Caller {
  const send = async (
    method: Route['method'],
    url: string,
    options: { body?: unknown; signal: AbortSignal; what: string },
  ) => {
    try {
      return await request(`http://bbx${url}`, {
        dispatcher,
        method,
        signal: options.signal,
        ...(options.body === undefined
          ? {}
          : { body: JSON.stringify(options.body), headers: { 'content-type': 'application/json' } }),
      });
    } catch (cause) {
      throw wayError(cause, options.what);
    }
  };

  /** Names what went wrong on the way to the master; what is not about the way is given back as it is. */
  const wayError = (cause: unknown, what: string): unknown => {
    if (cause instanceof BbxError) return cause;
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ECONNREFUSED' || errno === 'ENOTDIR') {
      return codes['BBX-API-UNREACHABLE']({ socket, dir });
    }
    if (errno === 'EACCES' || errno === 'EPERM') return codes['BBX-API-DENIED']({ socket });
    if (errno?.startsWith('UND_ERR_') === true || errno === 'ECONNRESET' || errno === 'EPIPE') {
      return errno === 'UND_ERR_ABORTED' ? cause : codes['BBX-API-CONNECTION']({ what, dir }, { cause });
    }
    return cause;
  };

  return {
    dir,

    async call(name, input, { signal, timeoutMs = CALL_TIMEOUT_MS }) {
      const route: Route = routes[name];
      const { params = {}, query = {}, body } = input as { params?: Values; query?: Values; body?: unknown };
      const limit = AbortSignal.timeout(timeoutMs);
      const both = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      const what = `"${name}"`;
      try {
        const url = fill(route.path, params) + queryString(query);
        // A route without a body of its own is called without one: an empty JSON text would be refused.
        const answer = await send(route.method, url, { body, signal: both, what });
        const text = await answer.body.text();
        const json = parseJson(text, what);
        if (answer.statusCode >= 400) throw answeredError(answer.statusCode, json, what);
        return check(route.answer, json, what) as AnswerOf<typeof name>;
      } catch (error) {
        signal?.throwIfAborted();
        if (limit.aborted) throw codes['BBX-API-SILENT']({ what, dir, limit: printDuration(timeoutMs) });
        throw wayError(error, what);
      }
    },

    async stream(path, { params = {}, query = {} }, { what, signal }) {
      const controller = new AbortController();
      const limit = setTimeout(
        () => controller.abort(codes['BBX-API-SILENT']({ what, dir, limit: printDuration(CALL_TIMEOUT_MS) })),
        CALL_TIMEOUT_MS,
      );
      try {
        const both = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]);
        const answer = await send('GET', fill(path, params) + queryString(query), { signal: both, what });
        if (answer.statusCode >= 400) {
          throw answeredError(answer.statusCode, parseJson(await answer.body.text(), what), what);
        }
        return named(answer.body);
      } finally {
        // Only the head of a stream has a limit.
        clearTimeout(limit);
      }

      async function* named(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
        try {
          yield* bytes;
        } catch (error) {
          signal?.throwIfAborted();
          throw wayError(error, what);
        }
      }
    },
  };
}

function fill(path: string, params: Values): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

function queryString(query: Values): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString()}`;
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw codes['BBX-API-ANSWER']({ what, problem: 'it is not JSON' }, { cause });
  }
}

function check(schema: z.ZodType, value: unknown, what: string): unknown {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [first] = checked.error.issues;
  const where = first === undefined || first.path.length === 0 ? 'it' : first.path.join('.');
  throw codes['BBX-API-ANSWER']({ what, problem: `${where}: ${first?.message ?? 'wrong'}` });
}

/** The master's own error, as if it had happened here: same code, words and exit code. */
function answeredError(status: number, json: unknown, what: string): BbxError {
  const { error } = check(errorAnswer, json, what) as z.infer<typeof errorAnswer>;
  return new BbxError({ ...error, exit: exitOfStatus(status), data: { status } });
}
