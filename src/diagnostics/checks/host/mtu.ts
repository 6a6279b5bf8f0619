import {
  defineCheck,
  found,
  nothing,
  skip,
  type Draft,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { demandsOf } from '../../demand.ts';
import { evidence } from '../../evidence.ts';
import { usableAddresses } from '../../facts/host.ts';
import { leavesOut } from '../../intent.ts';
import { hostQuestion, type HostQuestion } from './question.ts';

/** RFC 8200 section 5: every link of IPv6 carries this; on a smaller one the kernel has no IPv6. */
const LEAST_MTU = 1280;
/** Ethernet; less is the mark of a tunnel, and no fault. */
const USUAL_MTU = 1500;

export const hst11 = defineCheck<'host', HostQuestion>({
  id: 'HST-11',
  title: 'packets large enough for IPv6 (MTU)',
  about: 'host',
  topics: ['ipv6', 'host', 'reach'],
  needs: [],
  gather: hostQuestion,
  judge: ({ host, targets }, _subject, context) => judgeMtu({ host, targets }, context),
});

function judgeMtu({ host, targets }: HostQuestion, context: JudgeContext): Judgement {
  if (leavesOut(context.intent, 6)) return skip('IPv6 is not meant here');
  const used = new Set(
    ([4, 6] as const).flatMap((family) => usableAddresses(host, family).map((address) => address.interface)),
  );
  const small = Object.entries(host.mtus).filter(([name, mtu]) => used.has(name) && mtu < LEAST_MTU);
  const got = (rows: typeof small) =>
    rows.map(([name, mtu]) => evidence('proc', `MTU of ${name}`, String(mtu), host.at));
  if (small.length > 0) {
    // Where another link gives IPv6, a small one beside it (a serial line, a VPN of IPv4) is nobody's trouble.
    const elsewhere = usableAddresses(host, 6).length > 0;
    const wanted = demandsOf(context, targets).some((demand) => demand.family === 6);
    const draft: Draft = {
      status: elsewhere || !wanted ? 'info' : 'error',
      title: `${small.map(([name, mtu]) => `${name} carries ${mtu} bytes`).join(', ')}: with less than ${LEAST_MTU} there is no IPv6 on a link`,
      evidence: got(small),
      fix: [
        {
          text: `Raise the MTU to ${LEAST_MTU} or more`,
          commands: small.map(([name]) => `sudo ip link set dev ${name} mtu ${USUAL_MTU}`),
        },
      ],
    };
    return found(draft);
  }
  const narrow = Object.entries(host.mtus).filter(([name, mtu]) => used.has(name) && mtu < USUAL_MTU);
  if (narrow.length === 0 || context.topic !== 'host') return nothing;
  return found({
    status: 'info',
    title: `${narrow.map(([name, mtu]) => `${name} carries ${mtu} bytes`).join(', ')}: a tunnel, which needs that "packet too big" (ICMP) comes through`,
    evidence: got(narrow),
  });
}
