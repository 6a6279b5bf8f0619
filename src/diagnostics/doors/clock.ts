import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TimeSyncFacts } from '../facts/clock.ts';

/** A tool that asks a bus which nobody serves waits long. */
const TOOL_MS = 2_000;
const BYTES = 16 * 1024;

/** Asks systemd, then chrony, whether the clock is kept; each says it to every user. */
export async function readTimeSync(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<TimeSyncFacts> {
  const at = new Date().toISOString();
  const ask = (program: string, words: string[]) =>
    promisify(execFile)(program, words, {
      env: { ...env, LC_ALL: 'C' },
      timeout: TOOL_MS,
      maxBuffer: BYTES,
      signal,
    }).then(
      ({ stdout }) => stdout,
      () => {
        signal.throwIfAborted();
        return undefined;
      },
    );
  const systemd = await ask('timedatectl', ['show', '-p', 'NTP', '-p', 'NTPSynchronized', '-p', 'CanNTP']);
  if (systemd !== undefined && systemd.includes('NTPSynchronized=')) {
    return { at, tool: 'timedatectl', ...readTimedatectl(systemd) };
  }
  const chrony = await ask('chronyc', ['-n', 'tracking']);
  if (chrony !== undefined) return { at, tool: 'chronyc', ...readChrony(chrony) };
  return { at, tool: null, said: '', synchronized: null, service: null };
}

type Said = Pick<TimeSyncFacts, 'said' | 'synchronized' | 'service'>;

/** `NTP=yes`, `NTPSynchronized=no`. */
export function readTimedatectl(text: string): Said {
  const value = (key: string) => new RegExp(`^${key}=(yes|no)$`, 'm').exec(text)?.[1];
  const synchronized = value('NTPSynchronized');
  const service = value('NTP');
  return {
    said: text.trim().split('\n').join(', '),
    synchronized: synchronized === undefined ? null : synchronized === 'yes',
    service: service === undefined ? null : service === 'yes',
  };
}

/** `Leap status     : Not synchronised`. */
export function readChrony(text: string): Said {
  const lines = text.split('\n').filter((line) => /^(Leap status|System time|Stratum)/.test(line));
  const leap = /^Leap status\s*:\s*(.+)$/m.exec(text)?.[1];
  return {
    said: lines.map((line) => line.replace(/\s+/g, ' ')).join(', '),
    synchronized: leap === undefined ? null : !/^not synchroni[sz]ed/i.test(leap),
    service: true,
  };
}
