import { describe, expect, it } from 'vitest';
import { listenersOf } from '../../../src/diagnostics/plan/listeners.ts';
import { problemsOf } from '../../../src/diagnostics/plan/settings.ts';
import { stockSubjects } from '../../../src/diagnostics/plan/stock.ts';
import type { MasterFacts } from '../../../src/diagnostics/directory.ts';
import { setListen } from '../../../src/diagnostics/checks/listeners/set-listen.ts';
import type { ListenerSubject, Subject } from '../../../src/diagnostics/subject.ts';
import { parseListen } from '../../../src/net/endpoint/listen-address.ts';
import { heard, listener, report } from './recorded.ts';

const IN_USE = heard({
  ...{ rows: [], attempts: [], binds: [{ address: '::', errno: 'EADDRINUSE' }] },
  free: [9990, 9992],
});

function masterIn(shown: string): MasterFacts {
  const workers = [parseListen('[::]:9989', { defaultPort: 9989 })];
  const config = { listen: { workers, web: [] }, reach: [] } as unknown as NonNullable<MasterFacts['config']>;
  return {
    dir: `/srv/${shown}`,
    shown,
    config,
    problems: [],
    failure: undefined,
    pin: undefined,
    running: false,
  };
}

async function commandsOf(id: string, subjects: Subject[]): Promise<readonly string[]> {
  const { report: got } = await report({ subjects, listener: IN_USE });
  const finding = got.findings.find((one) => one.id === id);
  expect(finding).toBeDefined();
  return finding?.fix.flatMap(({ commands }) => commands ?? []) ?? [];
}

describe('the commands of a finding', () => {
  it.each([
    ['.', ''],
    ['master', ''],
    ['../other farm', " --dir '../other farm'"],
  ])('change the farm that was looked at: %s', async (shown, flag) => {
    expect(await commandsOf('LSN-04', listenersOf(masterIn(shown)))).toContain(
      `bbx config set listen.workers '[::]:9990'${flag}`,
    );
  });

  it('offer no port that the farm means for something else', async () => {
    const farm = masterIn('.');
    const web = [parseListen('localhost:9990', { defaultPort: 8010 })];
    const config = { ...farm.config, listen: { ...farm.config?.listen, web } } as typeof farm.config;
    expect(await commandsOf('LSN-04', listenersOf({ ...farm, config }))).toContain(
      `bbx config set listen.workers '[::]:9992'`,
    );
  });

  it('keep both loopback addresses of localhost', async () => {
    const farm = masterIn('.');
    const listen = { workers: [], web: [parseListen('localhost:8010', { defaultPort: 8010 })] };
    const config = { ...farm.config, listen } as unknown as typeof farm.config;
    expect(await commandsOf('LSN-04', listenersOf({ ...farm, config }))).toContain(
      `bbx config set listen.web 'localhost:9990'`,
    );
  });

  it.each([
    [
      ['10.0.0.1:9989', '[2001:db8::1]:9989', 'unix:/run/bbx'],
      '["10.0.0.1:9990","[2001:db8::1]:9989","unix:/run/bbx"]',
    ],
    [['localhost:9991', '[::1]:9989'], '["localhost:9990","[::1]:9989"]'],
  ])('keep the other addresses of a list: %s', async (texts, value) => {
    const farm = masterIn('.');
    const workers = texts.map((text) => parseListen(text, { defaultPort: 9989 }));
    const config = { ...farm.config, listen: { workers, web: [] } } as unknown as typeof farm.config;
    expect(await commandsOf('LSN-04', listenersOf({ ...farm, config }))).toContain(
      `bbx config set listen.workers '${value}'`,
    );
  });

  it('name no address twice that another one takes in', () => {
    const farm = masterIn('.');
    const workers = ['127.0.0.1:9989', '[::1]:9989', '127.0.0.1:9990'].map((text) =>
      parseListen(text, { defaultPort: 9989 }),
    );
    const config = { ...farm.config, listen: { workers, web: [] } } as unknown as typeof farm.config;
    const [first] = listenersOf({ ...farm, config });
    expect(setListen(first as ListenerSubject, '[::]:9989')).toEqual([
      `bbx config set listen.workers '["[::]:9989","127.0.0.1:9990"]'`,
    ]);
  });

  it('change nothing of bbx where a stock Buildbot listens', async () => {
    const commands = await commandsOf('LSN-04', [listener('[::]:9989', { state: 'stopped' })]);
    expect(commands).toEqual(['ss -ltnp sport = :9989']);
  });

  it.each([
    ['master', 'bbx config check'],
    ['back', 'bbx config check --dir back'],
  ])('look again at the configuration that cannot be read: %s', async (shown, command) => {
    const broken = problemsOf({ ...masterIn(shown), config: undefined, failure: 'it is a folder' }, 'master');
    expect(await commandsOf('CFG-01', broken)).toEqual([command]);
  });

  it("look again at stock Buildbot's file that cannot be read, which bbx config check cannot", async () => {
    const troubles = [
      {
        file: '/srv/w/buildbot.tac',
        shown: 'w/buildbot.tac',
        named: true,
        line: 3,
        problem: 'Python refuses it',
        excerpt: [],
      },
    ];
    const subjects = stockSubjects({ masters: [], workers: [], troubles });
    expect(await commandsOf('CFG-01', subjects)).toEqual(['bbx doctor config w/buildbot.tac']);
  });
});
