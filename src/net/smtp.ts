import type { Duplex } from 'node:stream';
import { aborted } from '../base/abort.ts';
import { errnoOf, sentences } from '../base/error.ts';

/** RFC 5321 section 4.5.3.1.5 allows 512 bytes; servers are known to write more. */
const LINE_BYTES = 2_048;
/** Lines of one answer: EHLO has about fifteen. */
const LINES = 64;
/** Everything that is read of one server. */
const TOTAL_BYTES = 32 * 1024;

/** One answer: its code, and what stands behind it line by line. */
export interface SmtpAnswer {
  readonly code: number;
  readonly lines: readonly string[];
}

/** How far a mail server went along. */
export interface SmtpGreeting {
  /**
   * `ready`: it greeted and knows our name; `refused`: it said no (4xx, 5xx); `silent`, `closed`: it did not go on; `strange`: it
   * speaks, but no SMTP, or without end.
   */
  readonly outcome: 'ready' | 'refused' | 'silent' | 'closed' | 'strange';
  /** First line of the greeting, or of the answer that said no. */
  readonly banner: string | null;
  readonly code: number | null;
  /** Keywords of EHLO, in capitals: `STARTTLS`, `AUTH PLAIN LOGIN`, `SIZE 10240000`. Empty for a server that knows HELO alone. */
  readonly extensions: readonly string[];
  readonly problem: string | null;
  readonly ms: number;
}

export interface SmtpOptions {
  /** What we call ourselves in EHLO: a name, or an address in brackets. */
  name: string;
  signal: AbortSignal;
  /** Banner, EHLO and QUIT together. */
  limitMs: number;
}

/** Raised for what is no SMTP. */
class Strange extends Error {}

/**
 * Greets a mail server (RFC 5321) and takes its leave; sends neither a login nor mail. Ends by its limit whatever comes; rejects only with
 * the signal's reason. The stream is its caller's to close.
 */
export async function greetSmtp(stream: Duplex, options: SmtpOptions): Promise<SmtpGreeting> {
  const started = performance.now();
  const done = (part: Partial<SmtpGreeting> & Pick<SmtpGreeting, 'outcome'>): SmtpGreeting => ({
    banner: null,
    code: null,
    extensions: [],
    problem: null,
    ms: Math.round(performance.now() - started),
    ...part,
  });
  const limit = AbortSignal.timeout(options.limitMs);
  const talk = conversation(stream, AbortSignal.any([options.signal, limit]));
  let banner: SmtpAnswer | undefined;
  try {
    banner = await talk.read();
    if (banner === undefined) return done({ outcome: 'closed' });
    const first = { banner: banner.lines[0] ?? '', code: banner.code };
    if (banner.code !== 220) return done({ outcome: 'refused', ...first });
    const hello = await sayHello(talk, options.name);
    if (hello === undefined) return done({ outcome: 'closed', ...first });
    if (hello.code !== 250)
      return done({ outcome: 'refused', banner: hello.lines[0] ?? '', code: hello.code });
    talk.say('QUIT');
    return done({
      outcome: 'ready',
      ...first,
      extensions: hello.lines.slice(1).map((line) => line.toUpperCase()),
    });
  } catch (error) {
    options.signal.throwIfAborted();
    const first = banner === undefined ? {} : { banner: banner.lines[0] ?? '', code: banner.code };
    if (error instanceof Strange) return done({ outcome: 'strange', ...first, problem: error.message });
    if (limit.aborted) return done({ outcome: 'silent', ...first });
    return done({ outcome: 'closed', ...first, problem: errnoOf(error) ?? sentences(error)[0] ?? null });
  } finally {
    talk.end();
  }
}

/**
 * Brings a plain connection to where TLS begins (RFC 3207). Gives what hindered it, or undefined when the next bytes are TLS's. Rejects
 * only with the signal's reason, which also is the limit.
 */
export async function upgradeSmtp(
  stream: Duplex,
  options: Pick<SmtpOptions, 'name' | 'signal'>,
): Promise<string | undefined> {
  const talk = conversation(stream, options.signal);
  try {
    const banner = await talk.read();
    if (banner?.code !== 220)
      return banner === undefined ? 'closed' : `${banner.code} ${banner.lines[0] ?? ''}`;
    await sayHello(talk, options.name);
    talk.say('STARTTLS');
    const answer = await talk.read();
    return answer?.code === 220
      ? undefined
      : answer === undefined
        ? 'closed'
        : `${answer.code} ${answer.lines[0] ?? ''}`;
  } catch (error) {
    options.signal.throwIfAborted();
    return sentences(error)[0] ?? 'closed';
  } finally {
    talk.end();
  }
}

/** EHLO, and HELO to servers of before 1995. */
async function sayHello(talk: Conversation, name: string): Promise<SmtpAnswer | undefined> {
  talk.say(`EHLO ${name}`);
  const answer = await talk.read();
  if (answer === undefined || (answer.code !== 500 && answer.code !== 502)) return answer;
  talk.say(`HELO ${name}`);
  return talk.read();
}

interface Conversation {
  say(line: string): void;
  /** The next answer; undefined when the server closed before it was whole. */
  read(): Promise<SmtpAnswer | undefined>;
  /** Stops listening; what was not read yet stays in the stream. */
  end(): void;
}

function conversation(stream: Duplex, signal: AbortSignal): Conversation {
  let text = '';
  let total = 0;
  let over = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;
  const stopped = aborted(signal);
  const onData = (bytes: Buffer) => {
    total += bytes.length;
    // Never more than the limit is kept, however fast it comes.
    if (total > TOTAL_BYTES) {
      failure = new Strange(`it sends more than ${TOTAL_BYTES / 1024} KiB before it lets us speak`);
      stream.pause();
    } else text += bytes.toString('latin1');
    wake?.();
  };
  const onEnd = () => {
    over = true;
    wake?.();
  };
  const onError = (error: Error) => {
    failure ??= error;
    wake?.();
  };
  stream.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);

  const line = async (): Promise<string | undefined> => {
    for (;;) {
      const at = text.indexOf('\n');
      if (at > LINE_BYTES || (at < 0 && text.length > LINE_BYTES))
        throw new Strange(`a line of it is longer than ${LINE_BYTES} bytes`);
      if (at >= 0) {
        const one = text.slice(0, at).replace(/\r$/, '');
        text = text.slice(at + 1);
        return one;
      }
      if (failure !== undefined) throw failure;
      if (over) return undefined;
      const more = new Promise<void>((resolve) => (wake = resolve));
      await Promise.race([more, stopped]);
    }
  };
  return {
    say: (words) => void stream.write(`${words}\r\n`),
    async read() {
      signal.throwIfAborted();
      const lines: string[] = [];
      for (;;) {
        const one = await line();
        if (one === undefined) return undefined;
        const [, code = '', more, words = ''] = /^([2-5]\d\d)([ -]|$)(.*)$/s.exec(one) ?? [];
        if (code === '') throw new Strange(`"${one.slice(0, 60)}" is no answer of a mail server`);
        lines.push(words);
        if (more !== '-') return { code: Number(code), lines };
        if (lines.length >= LINES) throw new Strange(`an answer of it has more than ${LINES} lines`);
      }
    },
    end: () => {
      stream.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      stream.pause();
    },
  };
}
