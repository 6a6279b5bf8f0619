import { describe, expect, it } from 'vitest';
import type { ProgressEvent } from '../../../../src/build/progress.ts';
import { newsOf, type Item } from '../../../../src/runtime/master/record-news.ts';
import type { OpenLog, Running } from '../../../../src/runtime/master/running.ts';

const build = { sequence: 2, properties: { a: 1 }, lastAt: 5 } as unknown as Running;
const log = { step: 0, name: 'stdio' } as OpenLog;

function items(...events: ProgressEvent[]): Item[] {
  return events.map((event, index) => ({ kind: 'event', sequence: build.sequence + 1 + index, event }));
}

const finished: ProgressEvent = {
  ...{ type: 'stepFinished', at: 7, step: 0, results: 2, state: 'failed', rc: 1, signal: null },
  ...{ logs: [{ name: 'stdio', bytes: 0, sha256: '' }], properties: { b: 2 } },
};
const over = (results: number): ProgressEvent => ({ type: 'buildFinished', at: 4, results, state: 'over' });
const giveUp: Item = { kind: 'end', ending: { result: 'retry', state: 'lost', at: 9, again: 'counted' } };

describe('what items bring to a build', () => {
  it('is summed up to one writing of each row', () => {
    const [begin, step, ...rest] = items(
      { type: 'buildStarted', at: 1, workdir: '/w' },
      { type: 'stepStarted', at: 2, step: 0, name: 's'.repeat(500) },
      finished,
      over(2),
    );
    const news = newsOf(build, [begin!, step!, { kind: 'log', log }, ...rest]);
    expect(news).toMatchObject({
      ...{ sequence: 6, state: 'running', properties: { a: 1, workdir: '/w', b: 2 }, endings: [] },
      // Never before the latest time that its rows have.
      end: { result: 'failure', state: 'over', at: 5 },
    });
    const begun = { name: 's'.repeat(128), at: 2 };
    expect(news.steps).toMatchObject([{ number: 0, begun, logs: [log], end: { result: 'failure', rc: 1 } }]);
  });

  it('is nothing new where no properties came', () => {
    const news = newsOf(build, items({ ...finished, properties: {} } as ProgressEvent));
    expect(news.properties).toBeUndefined();
    expect(news.steps[0]).toMatchObject({ begun: undefined, end: { state: 'failed' } });
  });

  it.each([
    ['a retry by its worker’s word', items(over(5)), ['retry']],
    ['the master’s decision', [giveUp], ['retry']],
    [
      'the master’s decision, and its worker’s word after it',
      [giveUp, ...items(over(0))],
      ['retry', 'success'],
    ],
  ])('leaves an end that needs a look at the rows to those who look: %s', (_, came, results) => {
    const news = newsOf(build, came);
    expect(news.end).toBeUndefined();
    expect(news.endings.map(({ result }) => result)).toEqual(results);
  });
});
