import type { Lease } from '../../../src/protocol/bbx/lease.ts';
import type { MasterMessage } from '../../../src/protocol/bbx/messages.ts';
import { MASTER_WORDS } from './master-vocabulary.ts';
import { below, pick, type Part, type Random } from './mutate.ts';
import { say } from './words.ts';

const USUAL = ['ack', 'ack', 'ack', 'pause', 'proceed', 'cancel'] as const;
/** The last five nobody has asked for: a worker closes then. */
const SELDOM = [
  ...(['settings', 'historyStored', 'dial', 'bye', 'refused'] as const),
  ...(['echoed', 'pushed', 'pulled', 'witnessed', 'held'] as const),
];

/** What a good master says after `accepted` to a worker that has these builds; and now and then what none says. */
export function masterWords(random: Random, leases: readonly Lease[]): Part[] {
  const word = (type: MasterMessage['type'], lease: Lease, more: object = {}) =>
    say({ ...MASTER_WORDS[type](random, lease), ...more });
  const parts = leases.map((lease) => word(random() < 0.1 ? 'drop' : 'resume', lease));
  parts.push(word('settings', leases[0]!));
  for (let count = 2 + below(random, 8); count > 0; count -= 1) {
    const lease = pick(random, leases);
    const roll = random();
    if (roll < 0.6) parts.push(word(pick(random, USUAL), lease));
    else if (roll < 0.75) {
      const stream = 1 + below(random, 3);
      parts.push(word('pause', lease, { stream }), word('proceed', lease, { stream }));
    } else if (roll < 0.9)
      parts.push(word('assign', { build: 100 + below(random, 5), token: `1-${'b'.repeat(16)}` }));
    else parts.push(word(pick(random, SELDOM), lease));
  }
  return parts;
}

/** A new build for the worker. */
export function assign(random: Random, lease: Lease): Part {
  return say(MASTER_WORDS.assign(random, lease));
}
