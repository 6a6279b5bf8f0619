import { describe, expect, it } from 'vitest';
import { reasonIn } from '../../../src/exec/git-reason.ts';

describe('the line of git’s errors that says why', () => {
  it.each<[string, string | undefined]>([
    ['', undefined],
    ["fatal: couldn't find remote ref refs/heads/nope\n", "couldn't find remote ref refs/heads/nope"],
    [
      'ssh: Could not resolve hostname nosuch: Name or service not known\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n',
      'ssh: Could not resolve hostname nosuch: Name or service not known',
    ],
    ['fatal: Could not read from remote repository.\n', 'fatal: Could not read from remote repository.'],
    [
      "warning: x\nerror: unable to write file big\nfatal: unable to access 'https://me:pw@host/r/': no\nhint: try\n",
      "unable to access 'https://host/r/': no",
    ],
    ['killed\n', 'killed'],
  ])('of %j', (said, why) => {
    expect(reasonIn(said)).toBe(why?.replace(/^fatal: /, ''));
  });
});
