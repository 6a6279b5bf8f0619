import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bbx } from '../rigs/bbx.ts';
import { tempDir } from '../rigs/temp-dir.ts';

/** A command line that is wrong in the directory `cwd` of the tree below; its sentence and its exit code. */
interface WrongUse {
  args: string[];
  cwd?: string;
  env?: Record<string, string>;
  code: number;
  name?: string;
  says: string | RegExp;
}

const WRONG_USES: WrongUse[] = [
  { args: ['stat'], code: 2, says: "unknown command 'stat'; did you mean status?" },
  { args: ['--jsn'], code: 2, says: "unknown option '--jsn'; did you mean --json?" },
  { args: ['build', 'strat', 'app'], code: 2, says: "unknown command 'strat'; did you mean start?" },
  { args: ['build', 'start'], code: 2, says: "missing required argument 'builder'" },
  { args: ['build', 'start', 'app', 'b'], code: 2, says: 'too many arguments' },
  { args: ['build', 'start', 'app', '--priority', 'high'], code: 2, says: 'Want a whole number from' },
  { args: ['build', 'start', 'app', '--property', 'x'], code: 2, says: 'Want NAME=VALUE' },
  { args: ['build', 'start', 'app', '--wait-limit', '5'], code: 2, says: 'Want a duration such as' },
  {
    args: ['build', 'start', 'app', '--revision', 'main'],
    code: 2,
    says: "option '--revision <id>' argument 'main' is invalid. It is no id; a branch is named with --branch",
  },
  { args: ['build', 'start', 'app', '--revision', '4d5e6f0'], code: 2, says: 'git rev-parse 4d5e6f0 prints' },
  { args: ['build', 'start', 'app', '--revision='], code: 2, says: 'It is empty; without the flag' },
  { args: ['build', 'start', 'app', '--revision', '4D5e'.repeat(10)], code: 2, says: 'capital letters' },
  { args: ['build', 'start', 'app', '--revision', '4d5e'.repeat(20)], code: 2, says: 'It has 80 digits' },
  { args: ['build', 'start', 'app', '--revision', `${'4d5e'.repeat(10)}\n`], code: 2, says: 'a line end' },
  {
    args: ['build', 'start', 'app'],
    env: { BBX_REVISION: 'HEAD' },
    code: 2,
    says: "value 'HEAD' from env 'BBX_REVISION' is invalid",
  },
  {
    args: ['change', 'send', '--repository', 'app', '--branch', 'main', '--revision', 'HEAD'],
    code: 2,
    says: 'It is no id',
  },
  { args: ['build', 'list', '--limit', '0'], code: 2, says: 'Want a whole number from 1 to 1000' },
  { args: ['build', 'list', '--limit'], code: 2, says: "option '--limit <number>' argument missing" },
  { args: ['build', 'show', 'app/x'], code: 2, says: '"app/x" is not a build: want builder/12, an id' },
  { args: ['build', 'log', ''], code: 2, says: '"" is not a build' },
  { args: ['build', 'log', 'app', '--foo'], code: 2, says: "unknown option '--foo'" },
  {
    args: ['status', '--wait', 'soon'],
    code: 2,
    says: "option '--wait <duration>' argument 'soon' is invalid",
  },
  {
    args: ['status'],
    env: { BBX_STATUS_WAIT: 'soon' },
    code: 2,
    says: "value 'soon' from env 'BBX_STATUS_WAIT' is invalid",
  },
  { args: ['worker', 'add'], code: 2, says: "missing required argument 'name' (or --names with --uses)" },
  { args: ['worker', 'add', 'a', '--names', 'b*'], code: 2, says: 'say the same thing' },
  { args: ['worker', 'add', 'a', '--uses', '0'], code: 2, says: 'Want a whole number from 1 to 100000' },
  {
    args: ['worker', 'show', 'w1', '--wait', 'happy'],
    code: 2,
    says: 'Allowed choices are attached, connected',
  },
  { args: ['change', 'send'], code: 2, says: "required option '--repository <name>' not specified" },
  { args: ['run', 'mistress'], code: 2, says: "unknown command 'mistress'" },
  { args: ['run', 'worker', '--log-format', 'xml'], code: 2, says: 'Allowed choices are text, json' },
  {
    args: ['status'],
    cwd: 'empty',
    code: 6,
    name: 'BBX-API-NO-DIRECTORY',
    says: "Cannot find a master's or a worker's directory",
  },
  {
    args: ['run', 'master'],
    cwd: 'empty',
    code: 6,
    name: 'BBX-API-NO-DIRECTORY',
    says: "a master's directory",
  },
  { args: ['run', 'worker', 'empty'], code: 6, name: 'BBX-API-NO-DIRECTORY', says: "a worker's directory" },
  {
    args: ['build', 'list', '--dir', 'nowhere'],
    code: 6,
    name: 'BBX-API-NO-DIRECTORY',
    says: /nowhere" *,|nowhere"/,
  },
  { args: ['status'], code: 3, name: 'BBX-API-UNREACHABLE', says: 'nobody listens on its control socket' },
  { args: ['why', 'r1'], code: 3, name: 'BBX-API-UNREACHABLE', says: 'Cannot reach the master' },
  {
    args: ['status', '--wait', '100ms'],
    code: 124,
    name: 'BBX-WAIT-LIMIT',
    says: 'Waited 100ms for the master',
  },
  { args: ['worker', 'add', 'w1'], code: 6, name: 'BBX-MASTER-KEY', says: "Cannot read the farm's key" },
  { args: ['db', 'check'], code: 6, name: 'BBX-STO-MISSING', says: 'there is none yet' },
  { args: ['db', 'upgrade'], code: 6, name: 'BBX-STO-MISSING', says: 'there is none yet' },
  {
    args: ['run', 'master', 'broken'],
    code: 7,
    name: 'BBX-CFG-INVALID',
    says: /broken\/master\.yaml:1:1.*titel/s,
  },
  {
    args: ['run', 'worker', 'broken'],
    code: 7,
    name: 'BBX-CFG-INVALID',
    says: /broken\/worker\.yaml.*master/s,
  },
];

/** Every file under `dir` with its text. */
async function treeOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const lines = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    return entry.isFile() ? `${path}: ${await readFile(path, 'utf8')}` : path;
  });
  return (await Promise.all(lines)).sort();
}

async function place(dir: string): Promise<void> {
  await Promise.all(
    ['farm', 'empty', 'farm/broken', 'farm/empty'].map((name) => mkdir(join(dir, name), { recursive: true })),
  );
  await writeFile(join(dir, 'farm/master.yaml'), 'title: farm\n');
  await writeFile(join(dir, 'farm/worker.yaml'), 'name: w1\nmaster: "[::1]:1"\n');
  await writeFile(join(dir, 'farm/broken/master.yaml'), 'titel: farm\n');
  await writeFile(join(dir, 'farm/broken/worker.yaml'), 'name: w1\n');
}

describe('wrong use', () => {
  it.each(WRONG_USES.map((use) => [`bbx ${use.args.join(' ')}`, use] as const))(
    '%s says what is wrong, ends with its code and changes nothing',
    async (_, { args, cwd = 'farm', env = {}, code, name = 'BBX-USAGE', says }) => {
      await using temp = await tempDir();
      await place(temp.path);
      const before = await treeOf(temp.path);
      const options = { cwd: join(temp.path, cwd), env };
      const [words, json] = await Promise.all([bbx(args, options), bbx([...args, '--json'], options)]);

      expect(words).toMatchObject({ code, stdout: '' });
      expect(words.stderr).toMatch(/^bbx: /);
      if (typeof says === 'string') expect(words.stderr).toContain(says);
      else expect(words.stderr).toMatch(says);
      expect(words.stderr).not.toContain('    at ');

      expect(json).toMatchObject({ code, stdout: '' });
      const { error } = JSON.parse(json.stderr) as { error: { code: string; message: string } };
      expect(error).toMatchObject({ code: name, retryable: expect.any(Boolean) as boolean });
      expect(words.stderr).toContain(error.message.split('\n')[0]);

      expect(await treeOf(temp.path)).toEqual(before);
    },
  );

  it.each([[[]], [['build']], [['worker']], [['run']]])(
    'a group without a command prints its help on stderr and ends with 2: %j',
    async (args) => {
      await using temp = await tempDir();
      const ran = await bbx(args, { cwd: temp.path });
      expect(ran).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toMatch(/^Usage: bbx.*Commands:/s);
    },
  );
});
