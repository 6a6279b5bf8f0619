import { familyOf } from '../../net/endpoint/host.ts';
import { connectLiteral } from '../../net/hops/tcp.ts';
import { inspectTls } from '../../net/tls/inspect.ts';
import type { ChatFact } from '../facts/chat.ts';
import type { ChatSubject } from '../far-subjects.ts';

const CONNECT_MS = 3_000;
const TLS_MS = 4_000;
/** A server looks up whom it speaks to before it says a word, but says that it does so. */
const WORDS_MS = 3_000;
const FIRST_BYTES = 4 * 1024;
/** Of its first line; whoever speaks there may be anybody. */
const SAID = 120;
/** Whoever has not yet said his name may leave (RFC 1459 section 4.1.6); the answer is ERROR. */
const FAREWELL = 'QUIT :bbx doctor\r\n';

/** Listens to one address of an IRC server and takes leave; no name is given, and nothing joined. */
export async function readChat(chat: ChatSubject, address: string, signal: AbortSignal): Promise<ChatFact> {
  const started = performance.now();
  const done = (outcome: ChatFact['outcome'], said: string): ChatFact => ({
    address,
    family: familyOf(address) === 6 ? 6 : 4,
    outcome,
    said,
    ms: Math.round(performance.now() - started),
  });
  if (chat.secure) {
    const seen = await inspectTls(address, chat.port, {
      servername: chat.host,
      speak: FAREWELL,
      limitMs: TLS_MS,
      signal,
    });
    if (seen.outcome !== 'secured')
      return done('no TLS', `${seen.outcome}${seen.code === null ? '' : ` (${seen.code})`}`);
    return done(...judged(seen.first?.bytes.toString('latin1') ?? '', seen.first?.kind === 'quiet'));
  }
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
    const socket = await connectLiteral(address, chat.port, limit);
    try {
      socket.write(FAREWELL);
      const text = await words(socket, AbortSignal.any([signal, AbortSignal.timeout(WORDS_MS)]));
      signal.throwIfAborted();
      return done(...judged(text.said, !text.ended));
    } finally {
      socket.destroy();
    }
  } catch {
    signal.throwIfAborted();
    return done('closed', 'no connection');
  }
}

function judged(text: string, isQuiet: boolean): [ChatFact['outcome'], string] {
  const line = (text.split(/\r?\n/)[0] ?? '').slice(0, SAID);
  if (isIrc(text)) return ['irc', line];
  if (text !== '') return ['strange', line];
  return isQuiet ? ['silent', 'nothing'] : ['closed', 'closed without a word'];
}

/** A line of an IRC server (RFC 1459 section 2.3.1): perhaps its name, then a command or three digits. */
function isIrc(text: string): boolean {
  return /^(?::\S+ )?(?:NOTICE|ERROR|PING|\d{3}) ./m.test(text) && !/^\d{3}[ -]/.test(text);
}

/** What comes until a line of IRC, the end or the limit. */
function words(
  socket: Awaited<ReturnType<typeof connectLiteral>>,
  limit: AbortSignal,
): Promise<{ said: string; ended: boolean }> {
  return new Promise((resolve) => {
    let said = '';
    const end = (ended: boolean) => {
      limit.removeEventListener('abort', late);
      resolve({ said, ended });
    };
    const late = () => end(false);
    limit.addEventListener('abort', late, { once: true });
    socket.on('error', () => end(true));
    socket.once('close', () => end(true));
    socket.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString('latin1')).slice(0, FIRST_BYTES);
      if (isIrc(said) || said.length === FIRST_BYTES) end(true);
    });
  });
}
