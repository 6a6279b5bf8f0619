import { describe, expect, it } from 'vitest';
import { decideEnrolment, type EnrolFacts } from '../../../../../src/runtime/master/workers/enrol.ts';

const claim = { name: 'w1', publicKey: 'KEY' };
const NOW = 1_000;
const join = (over: Partial<NonNullable<EnrolFacts['join']>> = {}): EnrolFacts['join'] => ({
  joinid: 7,
  names: 'w1',
  uses: 1,
  used: 0,
  expiresAt: NOW + 10,
  usedWithKey: undefined,
  ...over,
});
const facts = (over: Partial<EnrolFacts> = {}): EnrolFacts => ({
  byName: undefined,
  nameOfKey: undefined,
  join: undefined,
  secretGiven: over.join !== undefined,
  ...over,
});
const mine = { state: 'approved', publicKey: 'KEY' } as const;
const other = { state: 'approved', publicKey: 'OTHER' } as const;

describe('decideEnrolment', () => {
  it.each<[string, Partial<EnrolFacts>, ReturnType<typeof decideEnrolment>]>([
    ['lets a known worker in', { byName: mine, nameOfKey: 'w1' }, { act: 'in' }],
    [
      'lets a known worker in whatever secret it still sends',
      { byName: mine, nameOfKey: 'w1', secretGiven: true },
      { act: 'in' },
    ],
    ['refuses a name of another key', { byName: other }, { act: 'out', reason: 'unknown' }],
    ['refuses a key of another name', { nameOfKey: 'w2' }, { act: 'out', reason: 'unknown' }],
    [
      'refuses a key of another name with a good secret',
      { nameOfKey: 'w2', join: join() },
      { act: 'out', reason: 'unknown' },
    ],
    [
      'refuses a removed worker',
      { byName: { state: 'removed', publicKey: 'KEY' }, nameOfKey: 'w1' },
      { act: 'out', reason: 'removed' },
    ],
    [
      'tells a stranger nothing about a removed name',
      { byName: { state: 'removed', publicKey: 'X' } },
      { act: 'out', reason: 'unknown' },
    ],
    ['enrols with a good secret', { join: join() }, { act: 'enrol', joinid: 7, countUse: true }],
    [
      'enrols an invited name',
      { byName: { state: 'invited', publicKey: null }, join: join() },
      { act: 'enrol', joinid: 7, countUse: true },
    ],
    [
      'enrols over a stranger who only waits',
      { byName: { state: 'pending', publicKey: 'OTHER' }, join: join() },
      { act: 'enrol', joinid: 7, countUse: true },
    ],
    [
      'takes the same key with the same secret again',
      { join: join({ used: 1, usedWithKey: 'KEY' }) },
      { act: 'enrol', joinid: 7, countUse: false },
    ],
    [
      'refuses another key with a used secret',
      { join: join({ used: 1, usedWithKey: 'OTHER' }) },
      { act: 'out', reason: 'unknown' },
    ],
    ['says that a secret is used up', { join: join({ used: 1 }) }, { act: 'out', reason: 'expired' }],
    ['says that a secret has expired', { join: join({ expiresAt: NOW }) }, { act: 'out', reason: 'expired' }],
    ['keeps a name to the pattern', { join: join({ names: 'vps-*' }) }, { act: 'out', reason: 'unknown' }],
    [
      'gives an approved name a new key by an invitation of its own',
      { byName: other, join: join() },
      { act: 'enrol', joinid: 7, countUse: true },
    ],
    [
      'gives an approved name no new key by a pattern',
      { byName: other, join: join({ names: 'w*', uses: 9 }) },
      { act: 'out', reason: 'unknown' },
    ],
    ['refuses a secret that nobody knows', { secretGiven: true }, { act: 'out', reason: 'unknown' }],
    ['lists a stranger without a secret', {}, { act: 'pend' }],
    [
      'keeps a stranger listed',
      { byName: { state: 'pending', publicKey: 'KEY' }, nameOfKey: 'w1' },
      { act: 'pend' },
    ],
    [
      'gives a listed name to nobody else',
      { byName: { state: 'pending', publicKey: 'OTHER' } },
      { act: 'out', reason: 'unknown' },
    ],
  ])('%s', (_, given, expected) => {
    expect(decideEnrolment(claim, facts(given), NOW)).toEqual(expected);
  });
});
