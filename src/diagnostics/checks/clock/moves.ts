import { defineCheck, found, type Draft, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ClockMoves } from '../../facts/clock.ts';
import { spanOf } from './span.ts';

/** Less may be the error of reading three clocks on a busy machine. */
const JUMP_S = 2;
/** Shorter rests in all are those of a machine that was moved or paused for a moment. */
const SLEEP_S = 60;

export const clk03 = defineCheck<'host', ClockMoves>({
  id: 'CLK-03',
  title: 'this host stays awake, and nobody sets its clock',
  about: 'host',
  topics: ['clock', 'host'],
  needs: [],
  gather: (context) => context.probes.clockMoves(),
  judge: judgeMoves,
});

function judgeMoves({ at, watched, jumped, slept, sleptInAll }: ClockMoves): Judgement {
  const drafts: Draft[] = [];
  if (Math.abs(jumped) >= JUMP_S)
    drafts.push({
      status: 'warn',
      title: `The clock of this host was set ${spanOf(Math.abs(jumped))} ${jumped > 0 ? 'forward' : 'back'} while it was watched (${spanOf(watched)}): certificates, nights and ages go by it`,
      evidence: [
        evidence(
          'proc',
          'the time of day against the time since the start',
          `${jumped > 0 ? '+' : ''}${jumped.toFixed(1)} s`,
          at,
        ),
      ],
      fix: [
        {
          text: 'Let one program alone keep the clock, and find out who else sets it',
          commands: ['timedatectl status', 'journalctl -b -n 50 --grep clock --no-pager'],
        },
      ],
    });
  if (slept >= JUMP_S)
    drafts.push({
      status: 'warn',
      title: `This host slept for ${spanOf(slept)} while it was watched: its connections died, and its builds stood still`,
      evidence: [
        evidence('proc', 'CLOCK_BOOTTIME against CLOCK_MONOTONIC meanwhile', `${slept.toFixed(1)} s`, at),
      ],
      fix: [STAY_AWAKE],
    });
  else if (sleptInAll >= SLEEP_S)
    drafts.push({
      status: 'info',
      title: `This host has slept for ${spanOf(sleptInAll)} since it started: a master or worker on it is away meanwhile`,
      evidence: [
        evidence('proc', 'CLOCK_BOOTTIME against CLOCK_MONOTONIC', `${sleptInAll.toFixed(1)} s`, at),
      ],
      fix: [STAY_AWAKE],
    });
  return found(...drafts);
}

const STAY_AWAKE = {
  text: 'Where builds are to run at any time, let the host not sleep',
  commands: ['sudo systemctl mask sleep.target suspend.target hibernate.target'],
};
