import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type CheckContext, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { NameFacts } from '../../facts/names.ts';
import type { OrderFacts } from '../../facts/resolver.ts';
import { gather as gatherName, noName } from './question.ts';

interface Order {
  readonly name: NameFacts;
  /** Undefined: of one family there is nothing to put in order. */
  readonly order: OrderFacts | undefined;
}

export const dns16 = defineCheck<'target', Order>({
  id: 'DNS-16',
  title: 'the order in which programs try the addresses',
  about: 'target',
  topics: ['dns', 'ipv6'],
  needs: ['DNS-02'],
  async gather(context: CheckContext, target) {
    const name = await gatherName(context, target);
    const families = new Set((name.lookup?.addresses ?? []).map((address) => familyOf(address)));
    const asked = noName(name) === undefined && families.size > 1;
    return { name, order: asked ? await context.probes.order(name.name) : undefined };
  },
  judge: judgeOrder,
});

function judgeOrder({ name, order }: Order): Judgement {
  if (order === undefined) return skip('there are not two families to choose from');
  const [first] = order.addresses;
  if (first === undefined || familyOf(first) === 6) return nothing;
  return found({
    status: 'info',
    title: `Programs on this host try IPv4 first for "${name.name}" (${first}); bbx tries IPv6 first`,
    evidence: [
      evidence(
        'dns',
        `lookup of both families of ${name.name} at once`,
        `${order.addresses.join(', ')} in ${order.ms} ms`,
        order.at,
      ),
      evidence(
        'cmd',
        'rules of that order',
        'RFC 6724: addresses without a fitting source last, then like with like, then gai.conf; local addresses (fc00::/7) stand behind IPv4',
        order.at,
      ),
    ],
  });
}
