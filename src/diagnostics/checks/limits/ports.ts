import type { Evidence } from '../../../api/doctor.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { LimitFacts } from '../../facts/limits.ts';
import { limits, topics } from './question.ts';

/** Shares of the ports toward one far end. */
const MANY = 0.7;
const ALL = 0.98;

export const lim02 = defineCheck<'host', LimitFacts>({
  id: 'LIM-02',
  title: 'ports for outgoing connections are left',
  about: 'host',
  topics,
  needs: [],
  gather: limits,
  judge: judgePorts,
});

function judgePorts({ at, ports }: LimitFacts): Judgement {
  if (ports === null) return skip('this system has no such table');
  const { from, to, listening, busiest } = ports;
  const size = to - from + 1;
  const taken = listening + (busiest?.count ?? 0);
  if (taken < size * MANY) return nothing;
  const full = taken >= size * ALL;
  const toward = busiest === null ? '' : ` toward ${busiest.remote}`;
  const got: Evidence[] = [
    evidence('proc', 'net.ipv4.ip_local_port_range', `${from} ${to}`, at),
    ...(busiest === null
      ? []
      : [
          evidence(
            'proc',
            `connections to ${busiest.remote}, those in TIME_WAIT too`,
            String(busiest.count),
            at,
          ),
        ]),
    ...(listening === 0
      ? []
      : [evidence('proc', 'ports of that range that programs listen on', String(listening), at)]),
  ];
  return found({
    status: full ? 'error' : 'warn',
    title: `${taken} of ${size} ports for outgoing connections are taken${toward}: ${full ? 'no more can be made (EADDRNOTAVAIL)' : 'few are left'}`,
    evidence: got,
    fix: [
      ...(busiest === null || busiest.count < listening
        ? [
            {
              text: 'Let programs listen on ports outside of that range',
              commands: [`ss -ltnp 'sport >= :${from} and sport <= :${to}'`],
            },
          ]
        : [
            {
              text: 'See which program makes so many connections, and let it keep them',
              commands: [`ss -tnap dst '${busiest.remote}' | head`],
            },
          ]),
      {
        text: 'Or give the system more ports',
        commands: ['sudo sysctl net.ipv4.ip_local_port_range="1024 65535"'],
      },
    ],
  });
}
