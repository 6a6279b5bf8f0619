import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './farm.ts';

const run = promisify(execFile);
const START_LIMIT_MS = 10_000;

/** A real OpenSSH server on a port of `[::1]`, that lets this user in with one key. */
export interface Sshd extends AsyncDisposable {
  /** Address of a path of this machine, served over ssh. */
  url(path: string): string;
  /** The key that is let in, and another one that is not. */
  readonly key: string;
  readonly strangersKey: string;
  /** A file of known hosts that has the server's key. */
  readonly knownHosts: string;
  /** How many times somebody was let in. */
  accepted(): number;
}

/** Starts the server with keys made now; all its files are in `dir`. */
export async function startSshd(dir: string): Promise<Sshd> {
  await mkdir(dir, { recursive: true });
  const file = (name: string) => join(dir, name);
  await Promise.all(
    ['host', 'user', 'stranger'].map((name) =>
      run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file(name)]),
    ),
  );
  const port = await freePort('::1');
  const { username, uid } = userInfo();
  await writeFile(file('authorized'), await readFile(file('user.pub')));
  await writeFile(file('known_hosts'), `[::1]:${port} ${await readFile(file('host.pub'), 'utf8')}`);
  const settings = [
    `ListenAddress [::1]:${port}`,
    `HostKey ${file('host')}`,
    `AuthorizedKeysFile ${file('authorized')}`,
    ...[
      'PidFile none',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'LogLevel VERBOSE',
    ],
    // Below /tmp, which others may write to.
    'StrictModes no',
    `AllowUsers ${username}`,
  ];
  await writeFile(file('config'), `${settings.join('\n')}\n`);
  // Where sshd locks itself in when root starts it; Debian's service makes it otherwise.
  if (uid === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  await chmod(file('host'), 0o600);
  const { stdout: path } = await run('sh', ['-c', 'PATH="$PATH:/usr/sbin:/sbin" command -v sshd']);
  const server = spawn(path.trim(), ['-D', '-e', '-f', file('config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`sshd does not listen: ${log}`)), START_LIMIT_MS);
    server.once('exit', () => reject(new Error(`sshd ended: ${log}`)));
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (!log.includes('Server listening')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return {
    url: (served) => `ssh://${username}@[::1]:${port}${served}`,
    key: file('user'),
    strangersKey: file('stranger'),
    knownHosts: file('known_hosts'),
    accepted: () => log.match(/^Accepted publickey /gm)?.length ?? 0,
    async [Symbol.asyncDispose]() {
      if (server.exitCode !== null) return;
      server.kill();
      await once(server, 'exit');
    },
  };
}
