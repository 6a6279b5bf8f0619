import { execFile, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errnoOf } from '../base/error.ts';

/**
 * A mount namespace with small disks (tmpfs), which a program enters with the words of `within`. It ends with the drill's process, whatever
 * ends that.
 */
export interface Namespace extends AsyncDisposable {
  readonly within: readonly string[];
  readonly pid: number;
  /** Puts a disk of so many bytes over a directory that is there. */
  mount(path: string, bytes: number): Promise<void>;
  /** A path of the namespace as this process reaches it. */
  seen(path: string): string;
}

/** So long may making a namespace or a mount take, ms. */
const MOUNT_MS = 10_000;

/** Makes a namespace, or says why this machine or user may not. Disks are made in it once on trial. */
export async function openNamespace(): Promise<Namespace | { because: string }> {
  if (process.platform !== 'linux') return { because: 'small disks are made with Linux namespaces' };
  const root = process.getuid?.() === 0;
  const enter = root ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
  const script = 'mount -t tmpfs -o size=4096 bbx-drill /mnt && umount /mnt && echo ready && exec cat';
  const child = spawn('unshare', [...enter, '--', 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const said = await new Promise<string>((resolve) => {
    let out = '';
    let err = '';
    const timer = setTimeout(() => resolve('it takes too long'), MOUNT_MS);
    const done = (text: string) => {
      clearTimeout(timer);
      resolve(text);
    };
    child.once('error', (error) => done(`unshare: ${errnoOf(error) ?? error.message}`));
    child.stderr.on('data', (text: Buffer) => (err += text.toString()));
    child.stdout.on('data', (text: Buffer) => {
      out += text.toString();
      if (out.startsWith('ready')) done('');
    });
    child.once('close', (code) => done(err.trim().split('\n')[0] ?? `unshare ended with ${code}`));
  });
  child.stdin.on('error', () => undefined);
  const { pid } = child;
  if (said !== '' || pid === undefined) {
    child.kill('SIGKILL');
    return { because: said };
  }
  const within = ['-t', String(pid), ...(root ? [] : ['-U', '--preserve-credentials']), '-m', '--'];
  return {
    within: ['nsenter', ...within],
    pid,
    async mount(path, bytes) {
      const words = ['mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'bbx-drill', path];
      await promisify(execFile)('nsenter', [...within, ...words], { timeout: MOUNT_MS });
    },
    seen: (path) => `/proc/${pid}/root${path}`,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Writes a file, on from its end, until the disk is full to the last block. */
export async function fillDisk(file: string): Promise<void> {
  await using handle = await open(file, 'a', 0o600);
  for (let bytes = 4 << 20; bytes >= 4_096; bytes /= 4) {
    const block = Buffer.alloc(bytes);
    try {
      for (;;) {
        const { bytesWritten } = await handle.write(block);
        if (bytesWritten < bytes) break;
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENOSPC') throw error;
    }
  }
}
