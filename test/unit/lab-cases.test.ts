import { expect, it } from 'vitest';
import { catalogue } from '../../src/diagnostics/catalogue.ts';
import { CASES } from '../lab/cases/all.ts';
import { WITHOUT_CASE } from '../lab/cases/without.ts';

const roots = new Set(CASES.flatMap(({ root }) => root));

it('the fault lab has a case for every check but those that no case can be made for', () => {
  const lacking = catalogue.map(({ id }) => id).filter((id) => !roots.has(id));
  expect(lacking.toSorted()).toEqual(Object.keys(WITHOUT_CASE).toSorted());
});

it('each case of the fault lab has a name of its own, and names checks that there are', () => {
  const ids = CASES.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  const known = new Set(catalogue.map(({ id }) => id));
  const named = CASES.flatMap(({ root, also = [] }) => [...root, ...also]);
  expect(named.filter((id) => !known.has(id))).toEqual([]);
});
