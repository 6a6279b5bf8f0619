import { Chalk } from 'chalk';
import { expect, it } from 'vitest';
import type { LinkEventObject } from '../../../src/api/objects.ts';
import { linkWords } from '../../../src/commands/link-words.ts';

const at = new Date();
at.setHours(12, 3, 11, 0);
const lost_at = at.getTime() / 1000;
const event: LinkEventObject = {
  ...{
    lost_at,
    back_at: lost_at + 2.1,
    seconds: 2.1,
    cause: 'address-changed',
    from: 'a',
    to: 'b',
    code: 1006,
  },
  ...{ words: "worker's address changed from a to b, nothing lost", closed_by: 'nobody', tries: 0 },
  ...{ master: '', worker: null, clock_ahead: null },
};
const style = (short: boolean) => ({ paint: new Chalk({ level: 0 }), short, time: () => '' });
const words = "(2.1 s): worker's address changed from a to b, nothing lost";
const days = (count: number) => ({
  lost_at: lost_at - count * 86_400,
  back_at: lost_at + 2.1 - count * 86_400,
});

it('tells a lost link to people in the time of day, to programs in UTC', () => {
  expect(linkWords(event, style(true))).toBe(`lost 12:03:11–12:03:13 ${words}`);
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
  expect(linkWords(event, style(false))).toBe(`lost ${iso(lost_at)}/${iso(lost_at + 2.1)} ${words}`);
});

it('names the day when it is not today', () => {
  expect(linkWords({ ...event, ...days(40) }, style(true))).toMatch(
    /^lost \d{4}-\d\d-\d\d \d\d:03:11–\d\d:03:13 /,
  );
});

it('says since when a link is lost that is not back', () => {
  expect(linkWords({ ...event, back_at: null, seconds: null }, style(true))).toMatch(
    /^lost since 12:03:11: /,
  );
});
