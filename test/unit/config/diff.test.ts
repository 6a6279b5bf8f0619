import { describe, expect, it } from 'vitest';
import { difference } from '../../../src/config/diff.ts';
import { masterOf } from './examine.ts';

const BEFORE = `
title: a
repositories: { r: { git: /r } }
builders: { one: { steps: [{ run: make }] }, two: { steps: [{ run: make }] } }
`;

describe('difference', () => {
  it.each<[what: string, text: string, changes: string[], restart: string[]]>([
    ['nothing', BEFORE, [], []],
    ['comments and defaults that are spelt out', `${BEFORE}# x\nretention: { logs: 90d }\n`, [], []],
    ['a value', BEFORE.replace('title: a', 'title: b'), ['title: a becomes b'], []],
    [
      'a builder that is new',
      BEFORE.replace('one:', 'three: { steps: [{ run: x }] }, one:'),
      ['builder "three" is added'],
      [],
    ],
    [
      'a builder that is gone',
      BEFORE.replace(', two: { steps: [{ run: make }] }', ''),
      ['builder "two" is removed'],
      [],
    ],
    [
      'a builder that changes',
      BEFORE.replace('one: {', 'one: { tags: [x], '),
      ['builder "one" changes: tags'],
      [],
    ],
    [
      'an address',
      `${BEFORE}listen: { web: localhost:1 }`,
      ['listen.web: ["localhost:8010"] becomes ["localhost:1"] (after a restart)'],
      ['listen.web'],
    ],
    [
      'the store',
      `${BEFORE}store: sqlite:x`,
      ['store: sqlite:state.sqlite becomes sqlite:x (after a restart)'],
      ['store'],
    ],
  ])('tells of %s', async (_, text, changes, restart) => {
    expect(difference(await masterOf(BEFORE), await masterOf(text))).toEqual({ changes, restart });
  });
});
