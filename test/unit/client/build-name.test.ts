import { describe, expect, it } from 'vitest';
import { parseBuildName } from '../../../src/client/build-name.ts';

describe('a BUILD', () => {
  it.each([
    ['r17', { kind: 'request', id: '17' }],
    ['app/12', { kind: 'build', build: 'app/12' }],
    ['4711', { kind: 'build', build: '4711' }],
    ['app', { kind: 'build', build: 'app' }],
    ['r17x', { kind: 'build', build: 'r17x' }],
  ])('reads %s', (text, expected) => {
    expect(parseBuildName(text)).toEqual(expected);
  });

  it.each([[''], ['/12'], ['app/'], ['app/x'], ['app/0'], ['app/-1'], ['app/1.5']])(
    'refuses "%s"',
    (text) => {
      expect(parseBuildName(text)).toBeUndefined();
    },
  );
});
