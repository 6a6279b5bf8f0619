import { errnoOf, sentences } from '../base/error.ts';
import { familyOf, printHostPort } from './endpoint/host.ts';
import { isLocalRefusal, type Attempt } from './evidence.ts';
import { connectLiteral } from './hops/tcp.ts';

/**
 * Connects to one literal address alone, with its own limit, and closes at once: what the doctor does where a program would race.
 * Rejects only with the signal's reason.
 */
export async function tryAddress(
  address: string,
  port: number,
  options: { limitMs: number; signal?: AbortSignal | undefined },
): Promise<Attempt> {
  const family = familyOf(address);
  const base = { address: printHostPort(address, port), family: family === 0 ? undefined : family };
  const limit = AbortSignal.timeout(options.limitMs);
  const started = performance.now();
  const ms = () => performance.now() - started;
  try {
    const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
    const socket = await connectLiteral(address, port, signal);
    const attempt: Attempt = { ...base, result: 'connected', local: false, ms: ms() };
    socket.destroy();
    return attempt;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (limit.aborted) return { ...base, result: 'silent', local: false, ms: ms() };
    const errno = errnoOf(error);
    return {
      ...base,
      result: 'refused',
      local: isLocalRefusal(error),
      ms: ms(),
      ...(errno === undefined ? {} : { errno }),
      message: sentences(error)[0] ?? 'failed',
    };
  }
}
