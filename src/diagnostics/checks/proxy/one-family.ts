import { defineCheck, found, nothing, skip } from '../../check.ts';
import { attemptEvidence, evidence } from '../../evidence.ts';
import type { PathFacts } from '../../facts/paths.ts';
import type { HolderFacts } from '../../facts/ways.ts';
import { FORWARDERS } from './dead-tunnel.ts';
import { topics } from './question.ts';

interface Facts {
  readonly path: PathFacts;
  readonly holder: HolderFacts | undefined;
}

export const prx07 = defineCheck<'target', Facts>({
  id: 'PRX-07',
  title: 'a forward on localhost listens on both loopback addresses',
  about: 'target',
  topics,
  needs: ['PTH-01'],
  async gather(context, target) {
    const path = await context.probes.path(target);
    const holder = isLocalhost(target.host) ? await context.probes.holder(target) : undefined;
    return { path, holder };
  },
  judge({ path, holder }, target) {
    if (!isLocalhost(target.host)) return skip('only localhost has two addresses of this host');
    const forwarder = holder?.owners.find((owner) => FORWARDERS.test(owner));
    if (forwarder === undefined) return skip('no tunnel or forward of this host is seen there');
    const dead = path.attempts.filter(({ errno }) => errno === 'ECONNREFUSED');
    const [lacking] = dead;
    if (lacking === undefined || dead.length === path.attempts.length) return nothing;
    const name = forwarder.replace(/ \(.*/, '');
    return found({
      status: 'warn',
      title: `${name} forwards ${target.text} on ${lacking.family === 6 ? '127.0.0.1' : '::1'} alone: programs that try ${lacking.address} first, or only that, are refused`,
      evidence: [
        ...path.attempts.map((attempt) => attemptEvidence(attempt, path.at)),
        evidence('proc', `who listens on port ${target.port ?? 0} here`, forwarder, path.at),
      ],
      fix: [
        {
          text: `Forward on both: with ssh, -L localhost:PORT:… or a second -L ${lacking.family === 6 ? '[::1]' : '127.0.0.1'}:PORT:…; or write the address that is there instead of localhost`,
        },
      ],
    });
  },
});

function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}
