import { kindOf } from '../../../net/address-kind.ts';
import { defineCheck, found, nothing, skip, type CheckContext, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { published } from '../../facts/names.ts';
import { leadsBack, type ReverseFact } from '../../facts/reverse.ts';
import type { TargetSubject } from '../../subject.ts';

type Facts = readonly ReverseFact[];

export const dns14 = defineCheck<'target', Facts>({
  id: 'DNS-14',
  title: 'addresses lead to a name, and the name back',
  about: 'target',
  topics: ['dns'],
  needs: ['DNS-01'],
  gather,
  judge: judgeReverse,
});

/** Names with more addresses are those of large services. */
const MOST_ADDRESSES = 4;

/** Only of a name that is itself in question: a call about a place to connect to has no use for it. */
async function gather(context: CheckContext, target: TargetSubject): Promise<Facts> {
  if (context.topic !== 'dns') return [];
  const name = await context.probes.name(target.host, target.server);
  const addresses = name.literal === null ? [...published(name, 6), ...published(name, 4)] : [name.name];
  // Of private ones nobody else's DNS knows anything.
  const told = addresses.filter((address) => kindOf(address) === 'global');
  return Promise.all(told.slice(0, MOST_ADDRESSES).map((address) => context.probes.reverse(address)));
}

/** A fact: some mail servers and lists of names want it, nothing of the farm does. */
function judgeReverse(facts: Facts): Judgement {
  if (facts.length === 0) return skip('asked by "doctor dns" of public addresses');
  const known = facts.filter(({ outcome }) => outcome !== 'unknown');
  if (known.length === 0) return skip('no nameserver answers for addresses');
  const bad = known.filter((fact) => !leadsBack(fact));
  const [first] = bad;
  if (first === undefined) return nothing;
  const nameless = bad.filter(({ names }) => names.length === 0).map(({ address }) => address);
  const [wrong] = first.names;
  return found({
    status: 'info',
    title:
      wrong === undefined
        ? `${nameless.join(' and ')} ${nameless.length === 1 ? 'has' : 'have'} no name in DNS (PTR)`
        : `${first.address} is called "${wrong.name}" in DNS (PTR), and that name does not have the address`,
    evidence: bad.map(({ address, names, at }) =>
      evidence(
        'dns',
        `PTR of ${address}`,
        names.length === 0
          ? 'no such record'
          : names.map((one) => `${one.name} (${one.addresses.join(', ') || 'no address'})`).join(', '),
        at,
      ),
    ),
    fix: [
      {
        text: `Where mail goes out from it straight to other people's servers, or something allows by name: have whoever gives out the address set its reverse name to one that has it`,
        commands: [`dig -x ${first.address}`],
      },
    ],
  });
}
