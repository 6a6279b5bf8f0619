import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { questionOf } from '../../src/commands/doctor-question.ts';
import { examine, type Examined } from '../../src/diagnostics/examine.ts';
import type { Topic } from '../../src/diagnostics/check.ts';
import { createFarmKey, selfSignedCertificate } from '../../src/net/tls/certificate.ts';
import { bbxOk } from '../rigs/bbx.ts';
import { gitHttp } from '../rigs/git-http.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { smtpServer, type SmtpBehaviour } from '../rigs/smtp-server.ts';
import { tempDir } from '../rigs/temp-dir.ts';

/** Asks as the command line does. */
async function ask(
  topic: Topic,
  words: string[],
  cwd: string,
  options: Parameters<typeof questionOf>[2] = {},
): Promise<Examined> {
  return examine({
    question: questionOf(topic, words, options, cwd),
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd },
    software: 'test doctor',
    connectMs: 2_000,
    signal: new AbortController().signal,
  });
}

function roots({ report }: Examined): string[] {
  return report.findings.filter(({ status }) => status === 'error' || status === 'warn').map(({ id }) => id);
}

const key = createFarmKey();
const certified = (...names: string[]) => ({ key, cert: selfSignedCertificate(key, { names }) });

describe('a mail server', () => {
  it.each<[string, SmtpBehaviour, string[]]>([
    ['that is as it should be', {}, []],
    ['with a certificate of its own making', { tls: certified('localhost') }, ['NTF-02']],
    ['that refuses', { banner: '554 5.7.1 no mail from you' }, ['NTF-01']],
    ['that accepts and is silent', { instead: () => undefined }, ['NTF-01']],
    [
      'that is a web server',
      { instead: (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') },
      ['NTF-01'],
    ],
    [
      'whose banner never ends',
      {
        instead: (socket) => {
          const more = () => {
            if (socket.writable && socket.write('220-more of this\r\n'.repeat(1_000))) setImmediate(more);
          };
          socket.on('drain', more);
          more();
        },
      },
      ['NTF-01'],
    ],
  ])('%s is known', async (_title, behaviour, wanted) => {
    await using dir = await tempDir();
    await using server = await smtpServer(behaviour);
    const examined = await ask('mail', [`localhost:${server.port}`], dir.path);
    expect(roots(examined)).toEqual(wanted);
    // Neither a login nor mail.
    expect(server.said.filter((line) => !/^(EHLO|HELO|STARTTLS|QUIT)\b/.test(line))).toEqual([]);
  });

  it('by its address, with a certificate for names alone', async () => {
    await using dir = await tempDir();
    await using server = await smtpServer({ tls: certified('mail.test') });
    const examined = await ask('mail', [`127.0.0.1:${server.port}`], dir.path);
    expect(roots(examined)).toEqual(['NTF-04']);
    expect(examined.report.findings[0]?.explains).toContain('NTF-02');
  });

  it('is asked for by reach as well', async () => {
    await using dir = await tempDir();
    await using server = await smtpServer({ banner: '554 no' });
    const examined = await ask('reach', [`127.0.0.1:${server.port}`], dir.path, { protocol: 'smtp' });
    expect(roots(examined)).toEqual(['NTF-01']);
  });

  it('that does not run at all is no matter of mail', async () => {
    await using dir = await tempDir();
    const { port } = await smtpServer().then(async (server) => {
      await server[Symbol.asyncDispose]();
      return server;
    });
    expect(roots(await ask('mail', [`127.0.0.1:${port}`], dir.path))).toEqual(['PTH-04']);
  });
});

describe('mail without an address', () => {
  it.each<[string, SmtpBehaviour, string[]]>([
    ['takes mail', {}, []],
    ['refuses', { banner: '554 5.7.1 no mail from you' }, ['NTF-01']],
  ])("looks at the server of a stock master's configuration, which %s", async (_title, behaviour, wanted) => {
    await using dir = await tempDir();
    await using server = await smtpServer(behaviour);
    await writeFile(
      join(dir.path, 'master.cfg'),
      [
        'from buildbot.plugins import *',
        "c = BuildmasterConfig = {'protocols': {'pb': {'port': '81'}}}",
        `c['services'] = [reporters.MailNotifier('ci@example', relayhost='127.0.0.1', smtpPort=${server.port})]`,
        '',
      ].join('\n'),
    );
    const examined = await ask('mail', [], dir.path);
    expect(roots(examined)).toEqual(wanted);
    expect(examined.plan.subjects.map(({ kind }) => kind)).toEqual(['host', 'mail', 'target']);
    const other = await ask('mail', ['127.0.0.1:1'], dir.path);
    expect(other.plan.subjects).not.toContainEqual(expect.objectContaining({ port: server.port }));
  });

  it('has nothing to look at where none is configured, and says so', async () => {
    await using dir = await tempDir();
    const ran = await bbxOk(['doctor', 'mail'], { cwd: dir.path });
    expect(ran.stdout).toContain('No mail server or web service is named here');
  });
});

describe('a web service', () => {
  it.each([
    [200, []],
    [401, []],
    [503, ['NTF-07']],
  ])('that says %d', async (status, wanted) => {
    await using dir = await tempDir();
    const seen: string[] = [];
    const http = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    try {
      const examined = await ask('mail', [`http://me:secret@localhost:${port}/api/v1?token=x`], dir.path);
      expect(roots(examined)).toEqual(wanted);
      expect(seen).toEqual(['HEAD /api/v1']);
      expect(JSON.stringify(examined.report)).not.toMatch(/secret|token/);
    } finally {
      http.close();
    }
  });
});

describe('a repository', () => {
  it('that answers is no news, and one that is not there is', async () => {
    await using dir = await tempDir();
    const { path } = await gitRepository(join(dir.path, 'project'), { 'a.txt': 'a' });
    expect(roots(await ask('source', [path], dir.path))).toEqual([]);
    expect(roots(await ask('source', [`${path}-gone`], dir.path))).toEqual(['SRC-02']);
  });

  it('that wants a login says so, without one being tried', async () => {
    await using dir = await tempDir();
    await gitRepository(join(dir.path, 'project'), { 'a.txt': 'a' });
    await using server = await gitHttp(dir.path, { user: 'ci', password: 'hunter2' });
    const url = new URL('/project/.git', server.url);
    url.username = url.password = '';
    const examined = await ask('source', [url.href], dir.path);
    expect(roots(examined)).toEqual(['SRC-02']);
    expect(examined.report.findings.find(({ id }) => id === 'SRC-02')?.title).toMatch(/asks for a login/);
    expect(server.seen).not.toContain('GET with login');
  });

  it('whose submodule stands on a host that is away', async () => {
    await using dir = await tempDir();
    const { path } = await gitRepository(join(dir.path, 'project'), {
      '.gitmodules':
        '[submodule "lib"]\n\tpath = lib\n\turl = http://127.0.0.1:1/lib.git\n[submodule "own"]\n\tpath = own\n\turl = ../own.git\n',
    });
    const examined = await ask('source', [path], dir.path);
    expect(roots(examined)).toEqual(['SRC-07']);
    expect(examined.report.findings[0]?.title).toMatch(/127\.0\.0\.1:1 of the submodule/);
  });
});

describe("a master's directory", () => {
  it('has its repositories and the needs of its builders looked at, each place once', async () => {
    await using dir = await tempDir();
    const { path } = await gitRepository(join(dir.path, 'project'), { 'a.txt': 'a' });
    await mkdir(join(dir.path, 'master'));
    await writeFile(
      join(dir.path, 'master/master.yaml'),
      `repositories:
  project: { git: ${path} }
builders:
  linux: { repository: project, needs: ["127.0.0.1:1"], steps: [{ git: {} }, { run: "true" }] }
  docs: { repository: project, needs: ["127.0.0.1:1"], steps: [{ git: {} }, { run: "true" }] }
`,
    );
    const examined = await ask('source', [], dir.path);
    expect(roots(examined)).toEqual(['PTH-04']);
    expect(examined.report.findings[0]?.explains).toContain('SRC-01');
    const sources = examined.plan.subjects.filter((subject) => subject.kind === 'source');
    expect(sources.map(({ text, builders }) => [text, builders])).toEqual([
      [path, ['linux', 'docs']],
      ['127.0.0.1:1', ['linux', 'docs']],
    ]);
  });
});

describe("a stock master's directory", () => {
  const CONFIG = (git: string) => `from buildbot.plugins import *
c = BuildmasterConfig = {}
c['protocols'] = {'pb': {'port': r'tcp:0:interface=\\:\\:'}}
c['change_source'] = [
    changes.GitPoller('${git}', branches=True),
    changes.HgPoller(repourl='http://127.0.0.1:1/hg', pollInterval=300),
    changes.GerritChangeSource('127.0.0.1', 'ci', gerritport=1),
]
f = util.BuildFactory([steps.Git(repourl='${git}', mode='incremental'), steps.Git(repourl=util.Interpolate('%(prop:url)s'))])
`;

  it('has what its change sources and steps fetch from looked at, each place once', async () => {
    await using dir = await tempDir();
    const { path } = await gitRepository(join(dir.path, 'project'), { 'a.txt': 'a' });
    await writeFile(join(dir.path, 'master.cfg'), CONFIG(path));
    const examined = await ask('source', [], dir.path);
    const sources = examined.plan.subjects.filter((subject) => subject.kind === 'source');
    expect(sources.map(({ text, what, source }) => [text, what, source])).toEqual([
      [path, 'repository', 'master.cfg:5: GitPoller(repourl)'],
      ['http://127.0.0.1:1/hg', 'download', 'master.cfg:6: HgPoller(repourl)'],
      ['127.0.0.1:1', 'download', 'master.cfg:7: GerritChangeSource(gerritserver)'],
    ]);
    expect(roots(examined)).toEqual(['PTH-04']);
    // git itself was asked.
    await writeFile(
      join(dir.path, 'master.cfg'),
      CONFIG(`${path}-gone`).replace(/^ +changes\.(Hg|Ger).*$/gm, ''),
    );
    expect(roots(await ask('source', [], dir.path))).toEqual(['SRC-02']);
  });

  it("has a worker's checkouts looked at", async () => {
    await using dir = await tempDir();
    await gitRepository(join(dir.path, 'linux/build'), {
      '.gitmodules': '[submodule "lib"]\n\tpath = lib\n\turl = http://localhost:1/lib.git\n',
    });
    await using server = await gitHttp(join(dir.path, 'linux'));
    const url = new URL('/build/.git', server.url).href;
    await promisify(execFile)('git', ['-C', join(dir.path, 'linux/build'), 'remote', 'add', 'origin', url]);
    await writeFile(
      join(dir.path, 'buildbot.tac'),
      "s = Worker('localhost', 1, 'w1', 'hunter2', '.', keepalive=60)\n",
    );
    const examined = await ask('source', [], dir.path);
    expect(roots(examined)).toEqual(['SRC-07']);
    expect(examined.report.findings[0]?.title).toMatch(/localhost:1 of the submodule/);
  });

  it('says under ipv6 which of its sources has IPv4 alone', async () => {
    await using dir = await tempDir();
    await gitRepository(join(dir.path, 'project'), { 'a.txt': 'a' });
    await using server = await gitHttp(dir.path);
    const { port } = new URL(server.url);
    await writeFile(
      join(dir.path, 'master.cfg'),
      CONFIG(`http://127.0.0.1:${port}/project/.git`).replace(/^ +changes\.(Hg|Ger).*$/gm, ''),
    );
    const examined = await ask('ipv6', [], dir.path, { stock: dir.path });
    expect(roots(examined)).toEqual(['SRC-01']);
    expect(examined.report.findings[0]?.title).toBe(
      `127.0.0.1:${port} is an IPv4 address: an IPv6-only worker cannot fetch from it`,
    );
  });
});
