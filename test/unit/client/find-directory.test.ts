import { describe, expect, it } from 'vitest';
import { findDirectory, type Role } from '../../../src/client/find-directory.ts';

const files =
  (...there: string[]) =>
  (path: string) =>
    there.includes(path);
const masterOnly: Role[] = ['master'];
const both: Role[] = ['master', 'worker'];

describe('the directory of a command', () => {
  it.each([
    ['the current one', '/farm', undefined, masterOnly, ['/farm/master.yaml'], '/farm'],
    ['one with a configuration in code', '/farm', undefined, masterOnly, ['/farm/master.config.ts'], '/farm'],
    ['one above', '/farm/logs/1', undefined, masterOnly, ['/farm/master.yaml'], '/farm'],
    ['./master', '/home', undefined, masterOnly, ['/home/master/master.yaml'], '/home/master'],
    ['./worker', '/home', undefined, both, ['/home/worker/worker.yaml'], '/home/worker'],
    ['the named one', '/home', 'x/farm', masterOnly, ['/home/x/farm/master.yaml'], '/home/x/farm'],
    ['./master in the named one', '/home', '/srv', masterOnly, ['/srv/master/master.yaml'], '/srv/master'],
    [
      'the nearest one above before ./master',
      '/a/b',
      undefined,
      masterOnly,
      ['/a/master.yaml', '/a/b/master/master.yaml'],
      '/a',
    ],
  ])('is %s', (_, cwd, named, roles, there, expected) => {
    expect(findDirectory({ cwd, named, roles }, files(...there)).dir).toBe(expected);
  });

  it('says which role was found', () => {
    expect(findDirectory({ cwd: '/w', roles: both }, files('/w/worker.yaml'))).toEqual({
      dir: '/w',
      role: 'worker',
    });
  });

  it('names everything that was looked at when there is none, with exit 6', () => {
    expect(() => findDirectory({ cwd: '/home/me', roles: masterOnly }, files())).toThrow(
      expect.objectContaining({
        code: 'BBX-API-NO-DIRECTORY',
        exit: 6,
        message:
          'Cannot find a master\'s directory: none of "/home/me and above", "/home/me/master" holds one',
      }),
    );
  });

  it('names both roles where either would do, with what makes each', () => {
    expect(() => findDirectory({ cwd: '/home/me', named: 'farm', roles: both }, files())).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^Cannot find a master's or a worker's directory: /) as string,
        hint: 'Name another one, or make one: bbx create-master, or bbx create-worker --master HOST',
      }),
    );
  });

  it('looks nowhere else when a directory is named', () => {
    const there = files('/home/me/master.yaml');
    expect(() => findDirectory({ cwd: '/home/me', named: 'other', roles: masterOnly }, there)).toThrow(
      '"/home/me/other"',
    );
  });
});
