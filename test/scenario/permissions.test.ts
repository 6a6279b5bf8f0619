import { chmod, chown, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bbx, bbxOk } from '../rigs/bbx.ts';
import { tempDir } from '../rigs/temp-dir.ts';

/** Root may do everything, so as root the commands run as somebody else. */
const USER = process.getuid?.() === 0 ? { uid: 54_321, gid: 54_321 } : {};

interface Case {
  title: string;
  /** Done to the directories `master` and `worker` in `dir`. */
  spoil: (dir: string) => Promise<void>;
  args: string[];
  code: number;
  name: string;
  says: RegExp;
}

const CASES: Case[] = [
  {
    title: 'a master in a directory that cannot be written',
    spoil: async (dir) => {
      await chmod(join(dir, 'master/.bbx'), 0o500);
      await chmod(join(dir, 'master'), 0o500);
    },
    args: ['run', 'master', 'master'],
    code: 5,
    name: 'BBX-FILE-DENIED',
    says: /Cannot open ".*\/\.bbx\/lock": permission denied/,
  },
  {
    title: "a worker in somebody else's directory",
    spoil: (dir) => chmod(join(dir, 'worker/.bbx'), 0),
    args: ['run', 'worker', 'worker'],
    code: 5,
    name: 'BBX-FILE-DENIED',
    says: /\.bbx\/lock": permission denied/,
  },
  {
    title: 'a key that cannot be read',
    spoil: (dir) => chmod(join(dir, 'master/identity/key.pem'), 0),
    args: ['run', 'master', 'master'],
    code: 5,
    name: 'BBX-FILE-DENIED',
    says: /Cannot open ".*\/identity\/key\.pem": permission denied/,
  },
  {
    title: "somebody else's store",
    spoil: async (dir) => {
      await writeFile(join(dir, 'master/state.sqlite'), '');
      await chmod(join(dir, 'master/state.sqlite'), 0);
    },
    args: ['run', 'master', 'master'],
    code: 5,
    name: 'BBX-STO-RIGHTS',
    says: /Cannot use store ".*\/state\.sqlite": it may not be written/,
  },
  {
    title: 'a key that is gone',
    spoil: (dir) => rm(join(dir, 'master/identity/key.pem')),
    args: ['run', 'master', 'master'],
    code: 6,
    name: 'BBX-FILE-MISSING',
    says: /Cannot open ".*\/identity\/key\.pem": there is no such file/,
  },
  {
    title: "a worker's invitation with a key that cannot be read",
    spoil: (dir) => chmod(join(dir, 'master/identity/key.pem'), 0),
    args: ['worker', 'add', 'w1', '--dir', 'master'],
    code: 5,
    name: 'BBX-FILE-DENIED',
    says: /Cannot open ".*\/identity\/key\.pem": permission denied/,
  },
  {
    title: 'a configuration that cannot be read',
    spoil: (dir) => chmod(join(dir, 'master/master.yaml'), 0),
    args: ['config', 'check', '--dir', 'master'],
    code: 5,
    name: 'BBX-FILE-DENIED',
    says: /Cannot open ".*\/master\.yaml": permission denied/,
  },
  {
    title: 'a configuration that cannot be replaced',
    spoil: (dir) => chmod(join(dir, 'master'), 0o500),
    args: ['config', 'set', 'title', 'Z', '--dir', 'master'],
    code: 5,
    name: 'BBX-FILE-DENIED',
    says: /Cannot open ".*\/master\.yaml": permission denied/,
  },
  {
    title: 'a directory that cannot be looked into',
    spoil: (dir) => chmod(join(dir, 'master'), 0),
    args: ['status', '--dir', 'master'],
    code: 5,
    name: 'BBX-FILE-DENIED',
    says: /Cannot use ".*\/master": permission denied/,
  },
  {
    title: 'a new directory in one that cannot be written',
    spoil: (dir) => chmod(join(dir, 'master'), 0o500),
    args: ['create-master', 'master/more/farm'],
    code: 5,
    name: 'BBX-FILE-DENIED',
    says: /master\/more\/farm": permission denied/,
  },
];

describe('a file that this user may not touch', () => {
  it.each(CASES.map((one) => [one.title, one] as const))(
    'is no fault of bbx: %s',
    async (_, { spoil, args, code, name, says }) => {
      await using temp = await tempDir();
      const cwd = join(temp.path, 'home');
      await mkdir(cwd);
      await chmod(temp.path, 0o755);
      if (USER.uid !== undefined) await chown(cwd, USER.uid, USER.gid);
      const options = { cwd, ...USER };
      await bbxOk(['create-master', 'master'], options);
      await bbxOk(['create-worker', 'worker', '--master', '[::1]:1'], options);
      await spoil(cwd);
      const [words, json] = [await bbx(args, options), await bbx([...args, '--json'], options)];
      for (const path of ['master', 'master/.bbx', 'worker/.bbx']) await chmod(join(cwd, path), 0o700);

      expect(words).toMatchObject({ code, stdout: '' });
      expect(words.stderr).toMatch(says);
      expect(words.stderr).not.toContain('    at ');
      const { error } = JSON.parse(json.stderr.trim().split('\n').at(-1) ?? '') as { error: object };
      expect(error).toMatchObject({ code: name, hint: expect.stringMatching(/^[A-Z].*: \w/) as string });
      expect(await readdir(cwd)).toEqual(['master', 'worker']);
    },
  );
});
