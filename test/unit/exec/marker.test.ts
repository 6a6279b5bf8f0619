import { expect, test } from 'vitest';
import { carriesMarker, markerValue } from '../../../src/exec/marker.ts';

const environ = (...entries: string[]) => Buffer.from(entries.map((entry) => `${entry}\0`).join(''));

test.each([
  { title: 'itself', env: environ('PATH=/bin', 'BBX_BUILD=w/b/1'), marker: 'w/b/1', found: true },
  { title: 'one above it', env: environ('BBX_BUILD=w/b/1', 'X=1'), marker: 'w', found: true },
  { title: 'one of two farms', env: environ('BBX_BUILD=outer/b/2:w/b/1'), marker: 'outer/b', found: true },
  {
    title: 'the beginning of a longer name',
    env: environ('BBX_BUILD=w/b/12'),
    marker: 'w/b/1',
    found: false,
  },
  { title: 'another variable that ends alike', env: environ('MY_BBX_BUILD=w'), marker: 'w', found: false },
  { title: 'a value that holds the text', env: environ('X=BBX_BUILD=w'), marker: 'w', found: false },
  {
    title: 'an entry behind one that ends alike',
    env: environ('MY_BBX_BUILD=x', 'BBX_BUILD=w'),
    marker: 'w',
    found: true,
  },
  { title: 'nothing', env: environ(), marker: 'w', found: false },
])('an environment with $title: $found', ({ env, marker, found }) => {
  expect(carriesMarker(env, marker)).toBe(found);
});

test('a farm inside a farm keeps the outer marker', () => {
  expect(markerValue('w/b/1', 'outer/b/2')).toBe('outer/b/2:w/b/1');
  expect(markerValue('w/b/1', undefined)).toBe('w/b/1');
});
