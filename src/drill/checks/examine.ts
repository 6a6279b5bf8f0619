import { sentences } from '../../base/error.ts';
import type { BuildObject, RequestObject } from '../../api/objects.ts';
import type { Asked } from '../ask.ts';
import type { Blow } from '../fault.ts';
import type { Stage } from '../stage.ts';
import { tell } from '../tell.ts';
import type { Heard } from '../watcher.ts';
import { checkEvents } from './events.ts';
import { faultsSaid, stepsLeft } from './farm.ts';
import { checkLogs, type LogVerdict } from './logs.ts';
import { checkRequest } from './results.ts';

/** What a round has left, summed up. */
export interface Findings {
  wrong: string[];
  attempts: number;
  bytes: number;
  buildsLost: number;
  bytesLost: number;
  bytesDoubled: number;
}

/** Looks at everything that a round has left on its farm: requests, builds, logs, events, what ran, and what still runs. */
export async function examine(
  { farm, trace, said }: Stage,
  { mercy, hit = [], besideMs = 0 }: Blow,
  asked: Asked,
  heard: readonly Heard[],
  signal: AbortSignal,
): Promise<Findings> {
  const wrong: string[] = [];
  const { requests, builds } = await tell(farm, asked, heard, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    wrong.push(`the farm cannot be asked: ${sentences(error).join(': ')}`);
    return { requests: [] as RequestObject[], builds: new Map<number, BuildObject[]>() };
  });
  const lost = [...asked.requests].filter((id) => !requests.some((one) => one.buildrequestid === id));
  wrong.push(...lost.map((id) => `request ${id} is lost`));
  const allowed = { mercy, hit, cancelled: asked.cancelled };
  const verdicts = requests.map((one) => checkRequest(one, builds.get(one.buildrequestid) ?? [], allowed));
  wrong.push(...verdicts.flatMap((verdict) => verdict.wrong));
  const all = [...builds.values()].flat();
  const logs = await Promise.all(
    all.map((build) =>
      checkLogs(farm.client, build, signal).catch((error: unknown): LogVerdict => {
        signal.throwIfAborted();
        const sentence = `the logs of ${build.builder}/${build.number}: ${sentences(error).join(': ')}`;
        return { wrong: [sentence], bytes: 0, lost: 0, doubled: 0 };
      }),
    ),
  );
  wrong.push(...logs.flatMap((log) => log.wrong));
  wrong.push(...checkEvents(heard, requests, all));
  wrong.push(
    ...(await trace.check([...builds.values()], ({ worker }) => (hit.includes(worker) ? besideMs : 0))),
  );
  wrong.push(...stepsLeft(farm), ...(await faultsSaid(farm, said)));
  const sum = (value: (log: LogVerdict) => number) => logs.reduce((total, log) => total + value(log), 0);
  return {
    wrong,
    attempts: all.length,
    bytes: sum((log) => log.bytes),
    buildsLost: lost.length + verdicts.filter((verdict) => verdict.lost).length,
    bytesLost: sum((log) => log.lost),
    bytesDoubled: sum((log) => log.doubled),
  };
}
