import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { sleep } from '../../base/abort.ts';
import type { PostgresServer } from '../../exec/postgres-server.ts';
import type { Fault, Striking } from '../fault.ts';
import { processesOf } from '../processes.ts';
import { lasting, pick, seconds, type Random } from '../random.ts';

const SPAN = { least: 100, usual: 3_000, seldom: 10_000, most: 60_000 };

/** One thing that is done to the server for a while. */
function outage(
  name: string,
  title: string,
  weight: number,
  choose: (random: Random) => {
    words: string;
    act: (server: PostgresServer, ms: number, striking: Striking) => Promise<void>;
  },
): Fault {
  return {
    name,
    title,
    holds:
      'as for a killed master: nothing is lost or doubled, and it goes on by itself; status says what is wrong',
    weight,
    needs: 'postgres',
    draw(random, { long }) {
      const ms = lasting(random, SPAN, long);
      const { words, act } = choose(random);
      return {
        words: `${words} for ${seconds(ms)}`,
        mercy: 'untouched',
        async strike(farm, striking) {
          if (farm.postgres !== undefined) await act(farm.postgres, ms, striking);
        },
      };
    },
  };
}

async function freeze(server: PostgresServer, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
  for (const { pid } of processesOf(server.dir)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It ended meanwhile.
    }
  }
}

/** Moves of a slow server: so long it works, and so long it does not, ms. */
const MOVES_MS = 20;
const RESTS_MS = 200;

/** So often a connection that is free is taken, ms. */
const TAKE_MS = 20;
/** More than a server of a drill has. */
const MOST_CONNECTIONS = 60;

/** The first message of PostgreSQL's protocol, version 3.0: who wants which database; a user who needs no password is let in. */
function hello(user: string): Buffer {
  const words = Buffer.from(`user\0${user}\0database\0template1\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + words.length, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, words]);
}

/** Takes every connection that the server has to give, after those that others have were ended, until `ms` are over. */
async function takeConnections(server: PostgresServer, ms: number, { signal }: Striking): Promise<void> {
  const held = new Set<Socket>();
  const over = performance.now() + ms;
  try {
    let ended = false;
    while (performance.now() < over) {
      while (held.size < MOST_CONNECTIONS) {
        const socket = connect(join(server.dir, `.s.PGSQL.${server.port}`));
        held.add(socket.on('error', () => undefined).on('close', () => held.delete(socket)));
        socket.resume().write(hello(server.user));
      }
      await sleep(TAKE_MS, signal);
      // Those of the master; ours stand in another database.
      if (!ended) {
        ended = true;
        for (const { pid, command } of processesOf(server.dir)) {
          if (/^postgres: bbx postgres /.test(command)) process.kill(pid, 'SIGTERM');
        }
      }
    }
  } finally {
    for (const socket of held) socket.destroy();
  }
}

const failover: Fault = {
  name: 'postgres-failover',
  title: 'PostgreSQL is lost for good, and its standby takes over',
  holds:
    'what was confirmed is at the standby, too; it goes on there by itself, and nothing is lost or doubled',
  weight: 1,
  needs: 'postgres',
  draw(random, { long }) {
    const ms = lasting(random, SPAN, long);
    const how = pick(random, ['immediate', 'kill'] as const);
    const lost = how === 'kill' ? 'kill -9 PostgreSQL' : 'crash PostgreSQL';
    return {
      words: `${lost}, and let its standby take over after ${seconds(ms)}`,
      mercy: 'untouched',
      strike: async ({ pair }, { signal }) => pair?.failOver(how, () => sleep(ms, signal)),
    };
  },
};

export const POSTGRES_FAULTS: readonly Fault[] = [
  outage('postgres-restart', 'PostgreSQL is stopped in good order and started again', 1.5, () => ({
    words: 'stop PostgreSQL',
    async act(server, ms, { signal }) {
      await server.stop('fast');
      await sleep(ms, signal);
      await server.start();
    },
  })),
  outage('postgres-crash', 'PostgreSQL crashes, and recovers when it is started again', 1.5, (random) => {
    const how = pick(random, ['immediate', 'kill'] as const);
    return {
      words: how === 'kill' ? 'kill -9 PostgreSQL' : 'crash PostgreSQL',
      async act(server, ms, { signal }) {
        await server.stop(how);
        await sleep(ms, signal);
        await server.start();
      },
    };
  }),
  outage('postgres-slow', 'PostgreSQL is slow, or does not answer at all', 1.5, (random) => {
    const silent = random() < 0.5;
    return {
      words: silent ? 'freeze PostgreSQL' : 'let PostgreSQL work a tenth of the time',
      async act(server, ms, { signal }) {
        const over = performance.now() + ms;
        try {
          while (performance.now() < over) {
            await freeze(server, 'SIGSTOP');
            await sleep(silent ? ms : RESTS_MS, signal);
            await freeze(server, 'SIGCONT');
            if (!silent) await sleep(MOVES_MS, signal);
          }
        } finally {
          await freeze(server, 'SIGCONT');
        }
      },
    };
  }),
  outage('postgres-full', 'PostgreSQL has no connection left', 1, () => ({
    words: 'take all connections of PostgreSQL',
    act: takeConnections,
  })),
  failover,
];
