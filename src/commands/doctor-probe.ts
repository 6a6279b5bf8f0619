import { sleep } from '../base/abort.ts';
import { printDuration } from '../base/duration.ts';
import { EXIT } from '../base/exit.ts';
import { openProbeListener, type ProbeEvent } from '../diagnostics/doors/probe-listener.ts';
import { parseListen } from '../net/endpoint/listen-address.ts';
import type { Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { note } from './terminal/print.ts';
import { writeOut } from './terminal/stream.ts';
import { BBX_VERSION } from './version.ts';

/** Where a master listens unless it is told otherwise. */
const DEFAULT = '[::]:9989';
/** As much of a nonce as people compare. */
const SHOWN_NONCE = 8;

/**
 * `bbx doctor listen ADDR:PORT --probe`: greets whoever comes, and says what came, for a time. Ends with 0 when somebody was greeted, with 1
 * when nobody was.
 */
export async function listenForProbes(
  context: Context,
  words: readonly string[],
  limitMs: number,
): Promise<void> {
  const addresses = (words.length === 0 ? [DEFAULT] : words).map((text) =>
    parseListen(text, { defaultPort: 9989 }),
  );
  let greeted = 0;
  let said = Promise.resolve();
  const say = (event: object, text: string) => {
    const line = context.json ? JSON.stringify({ ...event, v: 1, at: Date.now() / 1_000 }) : text;
    said = said.then(() => writeOut(context, `${line}\n`));
    // Its failure is met below.
    said.catch(() => undefined);
  };
  const onEvent = (event: ProbeEvent) => {
    if (event.type === 'greeted') greeted += 1;
    say(event, wordsOf(event));
  };
  const software = `bbx ${BBX_VERSION} doctor`;
  await using listener = await openProbeListener({ addresses, software, onEvent });
  const { token, bound } = listener;
  const port = /:(\d+)$/.exec(bound[0] ?? '')?.[1] ?? '9989';
  for (const text of listener.notes) note(context, text);
  say({ type: 'listening', token, bound }, `bbx doctor reach HOST:${port} --token ${token}`);
  note(
    context,
    `Listening on ${bound.join(', ')} for ${printDuration(limitMs)}; run that line at the other end`,
  );
  await sleep(limitMs, context.signal);
  await said;
  if (greeted === 0) {
    note(context, 'Nobody was greeted: what was sent here, if anything, did not arrive');
    throw new Outcome(EXIT.failed);
  }
}

function wordsOf(event: ProbeEvent): string {
  const family = event.peer.startsWith('[') ? 'IPv6' : 'IPv4';
  switch (event.type) {
    case 'accepted':
      return `accepted\t${event.peer}\t${family}\tat ${event.local}`;
    case 'greeted':
      return `greeted\t${event.peer}\tnonce ${event.nonce.slice(0, SHOWN_NONCE)}`;
    case 'ended':
      return `ended\t${event.peer}\t${event.bytes} bytes received`;
  }
}
