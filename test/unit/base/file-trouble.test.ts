import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fileTrouble } from '../../../src/base/file-trouble.ts';

const failed = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: …`), { code, syscall, ...(path === undefined ? {} : { path }) });

describe('an error of the system about a file', () => {
  it.each<[code: string, syscall: string, name: string, exit: number, message: string]>([
    ['EACCES', 'open', 'BBX-FILE-DENIED', 5, 'Cannot open "/f/x": permission denied'],
    [
      'EPERM',
      'chmod',
      'BBX-FILE-DENIED',
      5,
      'Cannot change the mode of "/f/x": the system does not permit it',
    ],
    ['EROFS', 'mkdir', 'BBX-FILE-DENIED', 5, 'Cannot make the folder "/f/x": the file system is read-only'],
    ['ENOENT', 'scandir', 'BBX-FILE-MISSING', 6, 'Cannot list "/f/x": there is no such file'],
    ['ENOTDIR', 'lstat', 'BBX-FILE-MISSING', 6, 'Cannot use "/f/x": a file stands where a folder must be'],
    ['ENOSPC', 'write', 'BBX-FILE-ROOM', 1, 'Cannot write "/f/x": the disk is full'],
  ])('%s at %s is %s', (code, syscall, name, exit, message) => {
    const trouble = fileTrouble(failed(code, syscall, '/f/x'));
    expect(trouble).toMatchObject({ code: name, exit, message });
    expect(trouble?.hint).toMatch(/: \w.* \/f/);
  });

  it('is found in what the system really throws', async () => {
    const error: unknown = await readFile('/nowhere/at all').catch((thrown: unknown) => thrown);
    expect(fileTrouble(error)).toMatchObject({
      code: 'BBX-FILE-MISSING',
      hint: expect.stringContaining('ls -la /nowhere') as string,
    });
  });

  it.each([
    ['a program that is missing', failed('ENOENT', 'spawn git', 'git')],
    ['a socket', failed('EACCES', 'connect')],
    ['another code', failed('EMFILE', 'open', '/f/x')],
    ['a fault', new TypeError('x is undefined')],
    ['nothing', undefined],
  ])('is not %s', (_, error) => {
    expect(fileTrouble(error)).toBeUndefined();
  });

  it('takes the path of the caller where the system names the file beside it', () => {
    expect(fileTrouble(failed('EACCES', 'open', '/f/x.new-7'), '/f/x')?.message).toContain('"/f/x"');
  });
});
