import { Agent } from 'undici';
import type * as z from 'zod';
import type { AnswerOf, ParamsOf, RouteName, SchemaOf } from '../api/routes.ts';
import { createCaller } from './call.ts';
import { readEvents, type EventsOptions, type NumberedEvent } from './events.ts';
import { readLog } from './log.ts';
import { readLogPieces } from './log-pieces.ts';
import type { LogOptions } from './log-streams.ts';
import type { ReadPiece } from '../api/log-pieces.ts';

/** What a call of one route wants; made from the table of routes, so that neither side can drift. */
export type CallInput<Name extends RouteName> = ([ParamsOf<Name>] extends [never]
  ? object
  : { params: Record<ParamsOf<Name>, string> }) &
  ([SchemaOf<Name, 'query'>] extends [never] ? object : { query?: z.input<SchemaOf<Name, 'query'>> }) &
  ([SchemaOf<Name, 'body'>] extends [never] ? object : { body: z.input<SchemaOf<Name, 'body'>> });

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** Limit of the whole call in ms; 10 s unless told. */
  timeoutMs?: number;
}

/** A running master seen from outside. Everything rejects with `BbxError`: the master's own words, or BBX-API-… about the way to it. */
export interface Client extends AsyncDisposable {
  /** Calls one route; the answer has been checked. */
  call<Name extends RouteName>(
    name: Name,
    input: CallInput<Name>,
    options?: CallOptions,
  ): Promise<AnswerOf<Name>>;
  /** The farm's events from now on, or after the event `after`; goes on from the last one when the connection breaks. Ends only by the signal. */
  events(options: EventsOptions): AsyncGenerator<NumberedEvent, void, undefined>;
  /** The bytes of one log; with `follow` until the log is complete, also over a restart of the master. */
  log(options: LogOptions): AsyncGenerator<Uint8Array, void, undefined>;
  /** The same log as pieces, with its holes: what is lost is never given as bytes. */
  pieces(options: LogOptions): AsyncGenerator<ReadPiece, void, undefined>;
  close(): Promise<void>;
}

export interface ClientOptions {
  socket: string;
  /** The master's directory, for the words of errors. */
  dir: string;
}

/** Idle connections are given back soon, so that a stopping master has none to wait for. */
const KEEP_ALIVE_MS = 1_000;

/** A client of the master that listens on a control socket; nothing is connected before the first call. */
export function openClient(options: ClientOptions): Client {
  const agent = new Agent({
    connect: { socketPath: options.socket },
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Streams of logs and events may rest for as long as they like; calls have their own limit.
    bodyTimeout: 0,
    headersTimeout: 0,
  });
  const caller = createCaller(agent, options);
  const close = () => agent.destroy();
  return {
    call: (name, input, callOptions = {}) => caller.call(name, input, callOptions),
    events: (eventsOptions) => readEvents(caller, eventsOptions),
    log: (logOptions) => readLog(caller, logOptions),
    pieces: (logOptions) => readLogPieces(caller, logOptions),
    close,
    [Symbol.asyncDispose]: close,
  };
}
