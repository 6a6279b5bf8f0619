import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

/** Longest path of a unix socket on Linux (`sun_path` less its final zero). */
const SOCKET_PATH_BYTES = 107;

/** Where things stand in a master's directory. */
export function masterLayout(dir: string) {
  const root = resolve(dir);
  return {
    root,
    configYaml: join(root, 'master.yaml'),
    configTs: join(root, 'master.config.ts'),
    /** The JSON schema beside the configuration, for editors. */
    schema: join(root, 'master.schema.json'),
    /** Answers of the first `create-master`, to compare later calls with. */
    answers: join(root, '.bbx', 'answers.json'),
    /** The farm's private key, PEM, 0600; and its certificate. */
    key: join(root, 'identity', 'key.pem'),
    certificate: join(root, 'identity', 'certificate.pem'),
    /** Joins of `bbx identity new`, 0600, hashes only; the master takes them into its store at start and removes the file. */
    joins: join(root, 'identity', 'joins.json'),
    secrets: join(root, 'secrets'),
    logs: join(root, 'logs'),
    lock: join(root, '.bbx', 'lock'),
  } as const;
}

/** Where things stand in a worker's directory. */
export function workerLayout(dir: string) {
  const root = resolve(dir);
  return {
    root,
    config: join(root, 'worker.yaml'),
    schema: join(root, 'worker.schema.json'),
    answers: join(root, '.bbx', 'answers.json'),
    /** The worker's own private key, PEM, 0600. */
    key: join(root, 'key.pem'),
    /** Join string of `create-worker --join`, 0600; removed when the worker is enrolled. */
    join: join(root, 'join'),
    /** What the worker learned from its master: pins and ways to reach it. */
    learned: join(root, '.bbx', 'learned.json'),
    /** What happened to the link to the master, JSON lines; the part before it in `link.jsonl.1`. */
    linkHistory: join(root, '.bbx', 'link.jsonl'),
    spool: join(root, 'spool'),
    builds: join(root, 'builds'),
    lock: join(root, '.bbx', 'lock'),
  } as const;
}
export type WorkerLayout = ReturnType<typeof workerLayout>;

/**
 * The path of a directory's control socket: `control.sock` in it, or, when that would be longer than a socket's path may be, a name
 * made from the directory's in `$XDG_RUNTIME_DIR` (else `/tmp`).
 */
export function controlSocket(dir: string, env: Readonly<Record<string, string | undefined>>): string {
  const inside = join(resolve(dir), 'control.sock');
  if (Buffer.byteLength(inside) <= SOCKET_PATH_BYTES) return inside;
  const name = createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 16);
  return join(env['XDG_RUNTIME_DIR'] ?? '/tmp', `bbx-${name}.sock`);
}
