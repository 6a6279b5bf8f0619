import type { Evidence } from '../../../api/doctor.ts';
import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence, seconds } from '../../evidence.ts';
import type { LinkFact } from '../../facts/links.ts';
import type { PeerFact } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import { gatherLinks, noLink, type LinksAt } from './links.ts';
import { topics } from './question.ts';

interface Sizes extends LinksAt {
  readonly peers: readonly PeerFact[];
}

export const pth06 = defineCheck<'target', Sizes>({
  id: 'PTH-06',
  title: 'large packets get through, both ways',
  about: 'target',
  topics,
  needs: ['PTH-01'],
  causes: ['PTH-01', 'HST-11'],
  async gather(context, target) {
    const links = await gatherLinks(context, target);
    const stuck = links.links.length > 0;
    return { ...links, peers: stuck ? await context.probes.peers(target) : [] };
  },
  judge: (facts, target) => judgeSizes(facts, target),
});

/** Above it a size that stalls says "slow or lossy"; up to it nothing but lost large packets explains that smaller ones pass. */
const PACKETS_BYTES = 4_096;

function judgeSizes({ at, links, peers }: Sizes, target: TargetSubject): Judgement {
  const none = noLink(target, links);
  if (none !== undefined) return skip(none);
  const stalled = links.filter(({ series }) => series?.stalled != null);
  const mute = links.filter((link) => isMuteToLargeHello(link, peers));
  if (stalled.length === 0 && mute.length === 0) return nothing;
  const got = links.map((link) => linkEvidence(link, target, at));
  for (const { address } of mute) {
    const where = printHostPort(address, target.port ?? 0);
    got.push(
      evidence('tls', `TLS with ${where}`, 'a first message of 1.5 kB: no answer; of 0.2 kB: answered', at),
    );
  }
  const lost = [...new Set([...stalled.filter(isPacketSize), ...mute])];
  if (lost.length > 0) {
    const ways = new Set(lost.map((link) => link.series?.stalled?.way ?? 'up'));
    const direction = ways.has('up')
      ? ways.has('down')
        ? 'in both directions'
        : 'on the way to the master'
      : 'on the way from the master';
    const families = [...new Set(lost.map(({ family }) => `IPv${family}`))].join(' and ');
    return found({
      status: 'error',
      title: `${families} to ${target.text} loses large packets ${direction}`,
      evidence: got,
      fix: [
        {
          text: 'Let "packet too big" pass every firewall on the way (ICMPv6 type 2, ICMPv4 type 3 code 4), or make routers clamp TCP to what fits',
          commands: ['nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu'],
        },
        {
          text: 'Until then: let both hosts find the size themselves',
          commands: ['sysctl -w net.ipv4.tcp_mtu_probing=1'],
        },
      ],
    });
  }
  const [first] = stalled;
  const stall = first?.series?.stalled;
  const small = (stall?.bytes ?? 0) < PACKETS_BYTES;
  return found({
    status: small ? 'error' : 'warn',
    title: small
      ? `${target.text} greets and then answers nothing for ${seconds(stall?.afterMs ?? 0)}`
      : `${target.text} does not take ${stall?.bytes ?? 0} bytes within ${seconds(stall?.afterMs ?? 0)}: the way is slow or loses much`,
    confidence: 'likely',
    evidence: got,
    fix: [{ text: 'Look for loss on the way; compare with another network', commands: ['ss -tino'] }],
  });
}

function isPacketSize({ series }: LinkFact): boolean {
  const bytes = series?.stalled?.bytes ?? 0;
  return bytes > 1 && bytes <= PACKETS_BYTES;
}

/** TLS came up with a hello that fits a packet, and did not with the usual one, which does not. */
function isMuteToLargeHello(link: LinkFact, peers: readonly PeerFact[]): boolean {
  if (link.localEnd === null) return false;
  // A master that is asked in plain words closes, so the silence of its TLS shows as that.
  return peers.some(
    ({ address, kind, tls }) =>
      address === link.address && (kind === 'silent' || kind === 'closed') && tls !== true,
  );
}

/** `1 B ok, 1300 B ok, 4096 B up: nothing for 3 s`. */
export function linkEvidence(link: LinkFact, target: TargetSubject, at: string): Evidence {
  const { series, problem } = link;
  const stall = series?.stalled;
  const sizes = (series?.sizes ?? [])
    .filter(({ bytes }) => bytes !== stall?.bytes)
    .map(({ bytes }) => `${bytes} B ok`);
  const words = [
    ...sizes,
    ...(stall == null
      ? []
      : [
          stall.way === 'up'
            ? `${stall.bytes} B to the master: not there after ${seconds(stall.afterMs)}`
            : `${stall.bytes} B to the master ok, back: nothing for ${seconds(stall.afterMs)}`,
        ]),
    ...(problem === null ? [] : [problem]),
  ];
  return evidence('peer', `probes to ${printHostPort(link.address, target.port ?? 0)}`, words.join(', '), at);
}
