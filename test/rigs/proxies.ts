import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './farm.ts';

const START_LIMIT_MS = 10_000;

/** A real proxy program on a loopback address; gone at the end of its block. */
export interface ProxyProgram extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/** microsocks: a SOCKS 5 server, with one user or none. */
export async function startMicrosocks(
  options: { host?: string; user?: string; password?: string } = {},
): Promise<ProxyProgram> {
  const { host = '127.0.0.1', user, password } = options;
  const port = await freePort(host);
  const login = user === undefined ? [] : ['-u', user, '-P', password ?? ''];
  return started(spawn('microsocks', ['-i', host, '-p', String(port), ...login]), host, port);
}

/** tinyproxy: an HTTP proxy; `connectPorts` are those that CONNECT may lead to, all of them by default. */
export async function startTinyproxy(
  dir: string,
  options: { host?: string; user?: string; password?: string; connectPorts?: readonly number[] } = {},
): Promise<ProxyProgram> {
  const { host = '127.0.0.1', user, password, connectPorts = [] } = options;
  const port = await freePort(host);
  const file = join(dir, `tinyproxy-${port}.conf`);
  const lines = [
    `Port ${port}`,
    `Listen ${host}`,
    'Timeout 600',
    'MaxClients 50',
    'LogLevel Critical',
    ...(user === undefined ? [] : [`BasicAuth ${user} ${password ?? ''}`]),
    ...connectPorts.map((allowed) => `ConnectPort ${allowed}`),
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  return started(spawn('tinyproxy', ['-d', '-c', file]), host, port);
}

async function started(child: ChildProcess, host: string, port: number): Promise<ProxyProgram> {
  child.stdout?.resume();
  child.stderr?.resume();
  const deadline = performance.now() + START_LIMIT_MS;
  while (!(await answers(host, port))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error('the proxy does not listen');
    await pause(50);
  }
  return {
    host,
    port,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
