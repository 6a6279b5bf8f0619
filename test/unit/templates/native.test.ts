import { describe, expect, it } from 'vitest';
import { differencesOf, parseAnswers, printAnswers } from '../../../src/templates/answers.ts';
import { renderMaster, repositoryName } from '../../../src/templates/native/master.ts';
import { renderWorker } from '../../../src/templates/native/worker.ts';
import type { Tree } from '../../../src/templates/tree.ts';
import { examineMaster, examineWorker } from '../config/examine.ts';

const IDENTITY = { key: 'KEY', certificate: 'CERTIFICATE', joins: null };

function contentOf(tree: Tree, path: string): string {
  return tree.files.find((file) => file.path === path)?.content ?? '';
}

describe('renderMaster', () => {
  it('gives a master.yaml that people can read', async () => {
    const answers = {
      repository: 'https://git.example/app.git',
      run: ['npm ci', 'npm test'],
      reach: ['farm.example:9989'],
    };
    const text = contentOf(await renderMaster(answers, IDENTITY, ''), 'master.yaml');
    await expect(text).toMatchFileSnapshot('../../fixtures/templates/master.yaml');
    expect((await examineMaster(text)).problems).toEqual([]);
  });

  it('gives examples that hold as soon as their "# " is taken away', async () => {
    const text = contentOf(await renderMaster({}, IDENTITY, ''), 'master.yaml');
    const examples = text.replaceAll(/^# ((?: |[a-z]+:).*)$/gm, '$1').replace(/^secrets:.*$/m, '');
    const { config, problems } = await examineMaster(examples);
    expect(problems).toEqual([]);
    expect(config?.builders['app']?.steps).toHaveLength(3);
    expect(Object.keys(config?.schedulers ?? {})).toEqual(['on-push', 'every-night']);
  });

  it('makes no builder that could not run', async () => {
    for (const answers of [{}, { repository: '/srv/app.git' }]) {
      const { config } = await examineMaster(
        contentOf(await renderMaster(answers, IDENTITY, ''), 'master.yaml'),
      );
      expect(config?.builders).toEqual({});
    }
  });

  it.each([
    ['https://git.example/app.git', 'app'],
    ['git@git.example:team/app.git', 'app'],
    ['/srv/git/my app/', 'my-app'],
    ['host:12', 'repository12'],
    ['/', 'repository'],
    ['/r17', 'repositoryr17'],
  ])('calls the repository %s "%s"', (url, name) => {
    expect(repositoryName(url)).toBe(name);
  });
});

describe('renderWorker', () => {
  it('gives a worker.yaml that people can read, and the join string apart from it', async () => {
    const tree = renderWorker({ name: 'linux-1', master: ['farm.example:9989'] }, 'bbx1.secret', '');
    const text = contentOf(tree, 'worker.yaml');
    await expect(text).toMatchFileSnapshot('../../fixtures/templates/worker.yaml');
    expect((await examineWorker(text)).problems).toEqual([]);
    expect(text).not.toContain('secret');
    expect(tree.files.find(({ path }) => path === 'join')).toMatchObject({ mode: 0o600, policy: 'refresh' });
  });
});

describe('answers', () => {
  it('come back as they were written', () => {
    const record = { role: 'master', answers: { name: 'x', run: ['a', 'b'] } } as const;
    expect(parseAnswers(printAnswers(record))).toEqual(record);
  });

  it.each([
    '',
    '{}',
    '[]',
    'null',
    '{"v":2,"role":"master","answers":{}}',
    '{"v":1,"role":"x","answers":{}}',
    '{"v":1,"role":"master","answers":{"a":1}}',
  ])('are not read from %j', (text) => {
    expect(parseAnswers(text)).toBeUndefined();
  });

  it('differ in words that name the flag', () => {
    expect(differencesOf({ name: 'a', run: ['x'] }, { name: 'a', run: ['x', 'y'], reach: ['h'] })).toEqual([
      '--reach: not given before, "h" now',
      '--run: "x" before, "x" "y" now',
    ]);
  });
});
