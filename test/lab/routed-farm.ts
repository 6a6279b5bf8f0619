import { fileURLToPath } from 'node:url';
import { startFarm, type Farm } from '../rigs/farm.ts';
import { firstLine, labHost, type LabHost } from './lab-host.ts';

const SERVERS = fileURLToPath(new URL('lab-servers.ts', import.meta.url));

/** The master's addresses behind the router. */
export const MASTER = { 4: '11.0.2.10', 6: '2a00:2::10' } as const;

/** A farm whose master and worker are on two hosts with a router between them, which is where faults are made. */
export interface RoutedFarm extends AsyncDisposable {
  readonly farm: Farm;
  readonly master: LabHost;
  readonly router: LabHost;
  readonly worker: LabHost;
  /** Replaces the router's rules for what goes through it; its interfaces are `to-w` (toward the worker) and `to-m`. */
  faults(...rules: string[]): Promise<void>;
}

const NO_DAD = 'sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0';

/** Makes the three hosts and a farm with one worker, `w7`, which reaches its master by the name `master.test`. */
export async function routedFarm(): Promise<RoutedFarm> {
  const stack = new AsyncDisposableStack();
  try {
    const router = stack.use(
      await labHost({
        setup: [NO_DAD, 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1'],
      }),
    );
    const master = stack.use(await labHost({ setup: [NO_DAD], beside: router }));
    const worker = stack.use(await labHost({ setup: [NO_DAD], beside: router }));
    await join(router, 'to-w', worker, { four: '11.0.1', six: '2a00:1::', end: 2 });
    await join(router, 'to-m', master, { four: '11.0.2', six: '2a00:2::', end: 10 });
    // Both ask their own loopback for names, as the nameserver of each.
    const names = { 'master.test': { A: [MASTER[4]], AAAA: [MASTER[6]] } };
    for (const host of [master, worker]) {
      await firstLine(host.start(process.execPath, SERVERS, JSON.stringify({ names, listeners: [] })));
    }
    const farm = stack.use(
      await startFarm({
        config: 'builders:\n  app: { steps: [ run: "true" ] }\n',
        listen: { workers: '[::]:9989', web: 'localhost:8010' },
        reach: 'master.test:9989',
        workers: ['w7'],
        masterAt: { within: master.within },
        workersAt: { within: worker.within },
      }),
    );
    const whole = stack.move();
    return {
      ...{ farm, master, router, worker },
      async faults(...rules) {
        await router.sh(
          'export PATH="$PATH:/usr/sbin:/sbin"',
          'nft flush ruleset',
          'nft add table inet lab',
          "nft add chain inet lab way '{ type filter hook forward priority 0; }'",
          ...rules.map((rule) => `nft add rule inet lab way '${rule}'`),
        );
      },
      [Symbol.asyncDispose]: () => whole.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Lays a link from the router to a host, whose default route it becomes. Offloads are off, so that packets have their real sizes. */
async function join(
  router: LabHost,
  link: string,
  host: LabHost,
  { four, six, end }: { four: string; six: string; end: number },
): Promise<void> {
  await router.sh(
    `ip link add ${link} type veth peer name far`,
    `ip link set ${link} gso_max_segs 1 && ip link set far gso_max_segs 1`,
    `ip addr add ${four}.1/24 dev ${link}; ip -6 addr add ${six}1/64 dev ${link} nodad`,
    `ip link set far netns ${host.pid}; ip link set ${link} up`,
  );
  await host.sh(
    'ip link set far name v0; ip link set v0 gso_max_segs 1; ip link set v0 up',
    `ip addr add ${four}.${end}/24 dev v0; ip -6 addr add ${six}${end}/64 dev v0 nodad`,
    `ip route add default via ${four}.1; ip -6 route add default via ${six}1 dev v0`,
  );
}
