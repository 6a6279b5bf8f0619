import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { Duplex } from 'node:stream';
import { errnoOf } from '../../base/error.ts';
import { replaceUnsafe } from '../../base/unsafe-text.ts';
import { codes } from '../codes.ts';
import type { Hop } from '../endpoint/hop.ts';
import { printHop } from '../endpoint/hop.ts';
import { printHostPort } from '../endpoint/host.ts';
import { guard } from '../peer.ts';

export type SshHop = Extract<Hop, { kind: 'ssh' }>;

export interface SshOptions {
  /** Where the last host is to connect to. */
  host: string;
  port: number;
  signal: AbortSignal;
  /** What ssh runs with; `BBX_SSH_COMMAND` names another ssh or options for it, as `GIT_SSH_COMMAND` does for git. */
  env: Readonly<Record<string, string | undefined>>;
}

/** A dead line is noticed after this, three times: the peers' own pings are sooner. */
const ALIVE_S = 15;
/** ssh's last words; what is older says how it got so far. */
const WORDS_BYTES = 4 * 1024;
const WORDS_LINES = 3;
/** How long the words of an ssh that ended may be on their way. */
const LAST_WORDS_MS = 250;
const END_MS = 2_000;
/** OpenSSH's words, at its second level of verbosity, when the far end of a forwarding stands; one for each ssh of a chain. */
const OPENED = /^debug2: channel \d+: open confirm/;

/** What it says at that level besides its troubles. */
const CHATTER = /^(debug\d:|OpenSSH_|Authenticated to |Transferred: |Bytes per second: )/;

/** The stream of a forwarding, and why it broke. */
export interface SshStream {
  readonly stream: Duplex;
  /** ssh's own words after the stream broke; undefined when it said none. */
  lastWords(): Promise<string | undefined>;
}

/**
 * Opens a stream to a host by `ssh -W`: the system's ssh with its keys, known hosts and configuration, which never asks anything. Several
 * hops are one chain (`-J`).
 * @throws BbxError BBX-NET-SSH with ssh's words; the signal's reason
 */
export async function connectSsh(hops: readonly SshHop[], options: SshOptions): Promise<SshStream> {
  const { host, port, signal, env } = options;
  const target = printHostPort(host, port);
  const hop = hops.map(printHop).join(', ');
  const refuse = (problem: string, cause?: unknown) =>
    codes['BBX-NET-SSH']({ target, hop, problem }, { cause });
  const command = env['BBX_SSH_COMMAND']?.trim() || 'ssh';
  const child = spawn('/bin/sh', ['-c', `exec ${command} "$@"`, 'ssh', ...wordsOf(hops, target)], {
    env: { ...env, LC_ALL: 'C', SSH_ASKPASS_REQUIRE: 'never' },
    // Without a terminal of its own it cannot ask for a password there, and Ctrl-C is ours to pass on.
    detached: true,
  });
  const words: string[] = [];
  const opened = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  let confirmed = 0;
  readLines(child, (line) => {
    if (OPENED.test(line)) {
      confirmed += 1;
      if (confirmed === hops.length) opened.resolve();
    }
    if (line === '' || CHATTER.test(line)) return;
    words.push(replaceUnsafe(line.slice(0, WORDS_BYTES / WORDS_LINES), () => '?'));
    if (words.length > WORDS_LINES) words.shift();
  });
  const problem = () => (words.length === 0 ? undefined : words.join('; '));
  const stream = guard(Duplex.from({ readable: child.stdout, writable: child.stdin }));
  child.stdin.on('error', () => undefined);
  stream.once('close', () => end(child));
  const onAbort = () => opened.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  // Some servers' first words are here before ssh has told of the channel.
  child.stdout.once('readable', () => {
    if (child.stdout.readableLength > 0) opened.resolve();
  });
  child.once('error', (error) => opened.reject(refuse(errnoOf(error) ?? error.message, error)));
  child.once('close', (status) => {
    gone.resolve();
    opened.reject(refuse(problem() ?? `it ended with status ${status ?? 'unknown'} and said nothing`));
  });
  try {
    if (signal.aborted) onAbort();
    await opened.promise;
  } catch (error) {
    stream.destroy();
    end(child);
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  return {
    stream,
    async lastWords() {
      const wait = Promise.withResolvers<void>();
      const timer = setTimeout(wait.resolve, LAST_WORDS_MS);
      await Promise.race([gone.promise, wait.promise]);
      clearTimeout(timer);
      return problem();
    },
  };
}

function wordsOf(hops: readonly SshHop[], target: string): string[] {
  const last = hops.at(-1);
  const jumps = hops.slice(0, -1).map((hop) => printHop(hop).slice('ssh:'.length));
  return [
    ...['-vv', '-a', '-x', '-T', '-W', target],
    ...[
      'BatchMode=yes',
      'ControlPath=none',
      `ServerAliveInterval=${ALIVE_S}`,
      'ExitOnForwardFailure=yes',
    ].flatMap((option) => ['-o', option]),
    ...(jumps.length === 0 ? [] : ['-J', jumps.join(',')]),
    ...(last?.port === undefined ? [] : ['-p', String(last.port)]),
    ...(last?.user === undefined ? [] : ['-l', last.user]),
    ...['--', last?.host ?? ''],
  ];
}

function readLines(child: ChildProcessWithoutNullStreams, onLine: (line: string) => void): void {
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = (lines.pop() ?? '').slice(-WORDS_BYTES);
    lines.forEach(onLine);
  });
  child.stderr.on('error', () => undefined).once('end', () => onLine(rest));
}

/** ssh and the ssh of its jumps: TERM, and KILL for one that hangs. */
function end(child: ChildProcessWithoutNullStreams): void {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const send = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch {
      // It is gone already.
    }
  };
  send('SIGTERM');
  const timer = setTimeout(() => send('SIGKILL'), END_MS).unref();
  child.once('exit', () => clearTimeout(timer));
}
