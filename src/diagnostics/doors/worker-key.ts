import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { BbxError, errnoOf } from '../../base/error.ts';
import { workerLayout } from '../../config/layout.ts';
import { dial } from '../../net/dial.ts';
import { printHostPort } from '../../net/endpoint/host.ts';
import { parseJoin } from '../../protocol/bbx/join.ts';
import { readSigningKey } from '../../protocol/bbx/keys.ts';
import type { AuthenticationFact } from '../facts/paths.ts';
import { routeTo, SILENCE_MS, type PeerDoor } from './peer-door.ts';
import { greetOver } from './peers.ts';

/**
 * Asks the master whether the worker of a directory would be let in, with its own key and, before it is enrolled, its join secret. The
 * master takes no slot for it and enrols nothing. Undefined where the worker has no key yet.
 */
export async function askWhetherLetIn(
  worker: { dir: string; name: string },
  address: string,
  port: number,
  door: PeerDoor,
): Promise<AuthenticationFact | undefined> {
  const layout = workerLayout(worker.dir);
  let pem: string;
  try {
    pem = await readFile(layout.key, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return undefined;
    // Another user's worker: its key is rightly closed to us.
    if (errno === 'EACCES') return { accepted: null, code: errno, message: layout.key, hint: null };
    throw error;
  }
  const signal = AbortSignal.any([door.signal, AbortSignal.timeout(SILENCE_MS)]);
  const peer = printHostPort(address, port);
  try {
    const key = readSigningKey(pem, layout.key);
    const secret = await joinSecret(layout.join);
    const connection = await dial(routeTo(address, port, door), {
      signal,
      timeoutMs: SILENCE_MS,
      ...(door.env === undefined ? {} : { env: door.env }),
    });
    try {
      const greeted = await greetOver(connection, peer, door.software, signal);
      const session = await greeted.authenticate({
        name: worker.name,
        key,
        boot: randomBytes(16).toString('hex'),
        probe: true,
        ...(secret === undefined ? {} : { secret }),
      });
      session.close();
      return { accepted: true, code: null, message: null, hint: null };
    } finally {
      connection.stream.destroy();
    }
  } catch (error) {
    door.signal.throwIfAborted();
    if (!(error instanceof BbxError)) {
      if (signal.aborted)
        return { accepted: false, code: null, message: 'no answer to the authentication', hint: null };
      throw error;
    }
    return { accepted: false, code: error.code, message: error.message, hint: error.hint ?? null };
  }
}

/** The secret of a join string that was not used yet. */
async function joinSecret(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parseJoin(text.trim()).secret.reveal();
}
