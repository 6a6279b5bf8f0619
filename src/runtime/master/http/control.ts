import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { errnoOf } from '../../../base/error.ts';
import type { Log } from '../../../base/log.ts';
import { codes } from '../codes.ts';
import { createApp } from './app.ts';

/** Largest body of a call: a change with thousands of files fits, a flood does not. */
const BODY_BYTES = 4 * 1024 * 1024;
/** A socket of a dead master refuses at once; a live one accepts at once. */
const STALE_CHECK_MS = 2_000;

export interface ControlSocket {
  readonly path: string;
  /** Ends open answers and removes the socket. */
  close(): Promise<void>;
}

/**
 * Serves what `register` adds on the unix socket at `path`, for its owner alone (0600). A socket that a dead master left is replaced;
 * one that answers is BBX-API-MASTER-RUNS (exit 8).
 */
export async function openControlSocket(options: {
  path: string;
  log: Log;
  register: (app: FastifyInstance) => void;
}): Promise<ControlSocket> {
  const { path, log, register } = options;
  const { app, server } = await createApp(log, {
    bodyLimit: BODY_BYTES,
    routerOptions: { maxParamLength: 3_000 },
  });
  register(app);
  await app.ready();
  await removeStale(path);
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject).once('listening', listening.resolve);
  // The mask makes the socket with its mode; without it there would be a moment in which others could connect.
  const mask = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(mask);
  }
  try {
    await listening.promise;
    chmodSync(path, 0o600);
  } catch (error) {
    await app.close();
    throw error;
  }
  return {
    path,
    async close() {
      await app.close();
      // A server that fastify was not asked to start is not closed by it, and readers of events would never leave by themselves.
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      rmSync(path, { force: true });
    },
  };
}

/** Removes the socket file of a master that is no more. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw codes['BBX-API-SOCKET-PATH']({ path });
  if (await answers(path)) throw codes['BBX-API-MASTER-RUNS']({ path });
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, timeout: STALE_CHECK_MS });
    const done = (live: boolean) => {
      socket.destroy();
      resolve(live);
    };
    socket.once('connect', () => done(true));
    // A socket that neither accepts nor refuses has a full backlog, so somebody holds it.
    socket.once('timeout', () => done(true));
    socket.once('error', (error) => {
      if (['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error) ?? '')) done(false);
      else reject(error);
    });
  });
}
