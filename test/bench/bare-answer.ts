import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { tempDir } from '../rigs/temp-dir.ts';
import { timed } from './figure.ts';

/** The yardstick of answers: ms of so many requests to a bare HTTP server behind a unix socket that answers `{}`. */
export async function bareAnswers(runs: number): Promise<number[]> {
  await using dir = await tempDir();
  const socketPath = join(dir.path, 'socket');
  const server = createServer((_, response) => response.end('{}')).listen(socketPath);
  await once(server, 'listening');
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const asked = request({ socketPath, path: '/' }, (response) => response.resume().once('end', resolve));
      asked.once('error', reject).end();
    });
  await ask();
  const taken = await timed(runs, ask);
  server.close();
  server.closeAllConnections();
  return taken;
}
