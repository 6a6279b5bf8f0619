import type { BuildObject, FarmEvent, RequestObject } from '../../api/objects.ts';

/** What the watcher must have heard of a round's requests and builds: each beginning and end once, steps between and in order. */
export function checkEvents(
  heard: readonly { id: number; event: FarmEvent }[],
  requests: readonly RequestObject[],
  builds: readonly BuildObject[],
): string[] {
  const wrong: string[] = [];
  const lives = new Map<string, string[]>();
  let before = 0;
  for (const { id, event } of heard) {
    if (id <= before) wrong.push(`event ${id} was heard after ${before}`);
    before = id;
    const note = (key: string, what: string) => lives.set(key, [...(lives.get(key) ?? []), what]);
    if ('buildid' in event && event.type !== 'build.lost' && event.type !== 'build.adopted') {
      const step = 'stepid' in event ? ` ${event.number}` : '';
      note(`build ${event.buildid}`, `${event.type}${step}`);
    }
    if (event.type === 'request.submitted' || event.type === 'request.finished')
      note(`request ${event.buildrequestid}`, event.type);
  }
  for (const build of builds) {
    const steps = (build.steps ?? []).flatMap(({ number }) => [
      `step.started ${number}`,
      `step.finished ${number}`,
    ]);
    const life = (lives.get(`build ${build.buildid}`) ?? []).join(', ');
    const all = ['build.started', ...steps, 'build.finished'].join(', ');
    // A step that the master ended, because its worker never did, has no event of its own.
    const open = ['build.started', ...steps.slice(0, -1), 'build.finished'].join(', ');
    if (life !== all && life !== open) wrong.push(`events of ${build.builder}/${build.number}: ${life}`);
  }
  for (const { buildrequestid } of requests) {
    const life = (lives.get(`request ${buildrequestid}`) ?? []).join(', ');
    if (life !== 'request.submitted, request.finished')
      wrong.push(`events of request ${buildrequestid}: ${life}`);
  }
  return wrong;
}
