import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changeUnit } from '../../../src/diagnostics/checks/limits/question.ts';
import { holderOf, readLimits, readProcess } from '../../../src/diagnostics/doors/limits.ts';
import { nodeOptions, readPolicy } from '../../../src/diagnostics/doors/policy.ts';
import { readResolver } from '../../../src/diagnostics/doors/resolver.ts';
import { systemResolver } from '../../../src/net/system-resolver.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

async function write(dir: string, files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

describe('gai.conf', () => {
  it.each([
    ['', false],
    ['# precedence ::ffff:0:0/96  100\n', false],
    ['precedence ::ffff:0:0/96  100\n', true],
    ['precedence  ::1/128 50\nprecedence ::/0 40\nprecedence ::ffff:0:0/96 10 # the usual\n', false],
    ['precedence ::/0 5\nprecedence ::ffff:0:0/96 10\n', true],
    ['precedence ::ffff:0:0/96  35\n', false],
    ['label 2002::/16 2\n', false],
  ])('%j puts IPv4 first: %s', async (text, first) => {
    await using dir = await tempDir();
    await write(dir.path, { 'gai.conf': text });
    expect((await readPolicy({}, join(dir.path, 'gai.conf'))).prefersIpv4).toBe(first);
  });
});

describe('options of Node', () => {
  it.each([
    [undefined, []],
    ['--max-old-space-size=512 --require ./secret.js', []],
    ['--dns-result-order=ipv4first', ['--dns-result-order=ipv4first']],
    ['--dns_result_order ipv4first', ['--dns-result-order=ipv4first']],
    [
      '--no-network-family-autoselection --network-family-autoselection-attempt-timeout=100',
      ['--no-network-family-autoselection', '--network-family-autoselection-attempt-timeout=100'],
    ],
  ])('tells of %j only what concerns connections', (text, told) => {
    expect(nodeOptions(text, undefined, 'here').map((one) => one.text)).toEqual(told);
  });
});

describe('nsswitch.conf', () => {
  it.each([
    [
      'passwd: files\nhosts:  files mdns4_minimal [NOTFOUND=return] dns # here\n',
      ['files', 'mdns4_minimal', '[NOTFOUND=return]', 'dns'],
    ],
    ['hosts: files dns[!UNAVAIL=return]\n', ['files', 'dns', '[!UNAVAIL=return]']],
    ['passwd: files\n', null],
  ])('%j is read as %j', async (text, words) => {
    await using dir = await tempDir();
    await write(dir.path, { 'nsswitch.conf': text });
    const { nsswitch, conf } = await readResolver({
      nsswitch: join(dir.path, 'nsswitch.conf'),
      resolvConf: join(dir.path, 'nothing'),
    });
    expect(nsswitch).toEqual(words);
    expect(conf).toBeNull();
  });
});

describe("the system's limits", () => {
  it('counts the ports that are taken toward each far end, also those of mapped sockets', async () => {
    await using dir = await tempDir();
    const row = (local: string, remote: string, state: string) =>
      `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 123 1 0 100 0 0 10 0\n`;
    const mapped = '0000000000000000FFFF00000100007F';
    await write(dir.path, {
      'sys/net/ipv4/ip_local_port_range': '32768\t60999\n',
      'sys/net/core/somaxconn': '128\n',
      'net/tcp': `head\n${row('0100007F:9C40', '0100007F:2705', '01')}${row('0100007F:9C41', '0100007F:2705', '06')}${row('0100007F:0050', '0100007F:2705', '01')}${row('00000000:9C50', '00000000:0000', '0A')}${row('0100007F:9C50', '0100007F:2705', '01')}`,
      'net/tcp6': `head\n${row(`${mapped}:9C42`, `${mapped}:2705`, '01')}`,
    });
    expect(await readLimits(dir.path)).toMatchObject({
      ports: { from: 32_768, to: 60_999, listening: 1, busiest: { remote: '127.0.0.1:9989', count: 3 } },
      flows: null,
      flowSeconds: null,
      somaxconn: 128,
      retries: null,
    });
  });

  it('reads of a process its files, its options and its unit, and nothing else of its environment', async () => {
    await using dir = await tempDir();
    await write(dir.path, {
      '812/limits':
        'Limit  Soft  Hard  Units\nMax open files            1024                 4096                 files\n',
      '812/environ':
        'TOKEN=hunter2\0NODE_OPTIONS=--dns-result-order=ipv4first\0NODE_TLS_REJECT_UNAUTHORIZED=0\0',
      '812/cmdline':
        'node\0--no-network-family-autoselection\0/usr/bin/bbx\0run\0--dns-result-order=ipv6first\0',
      '812/cgroup': '0::/system.slice/bbx-worker.service\n',
      '812/fd/0': '',
      '812/fd/1': '',
    });
    const fact = await readProcess(812, 'the worker', dir.path);
    expect(fact).toEqual({
      where: 'the worker',
      pid: 812,
      fileLimit: 1_024,
      openFiles: 2,
      node: [
        { text: '--dns-result-order=ipv4first', where: 'the worker' },
        { text: 'NODE_TLS_REJECT_UNAUTHORIZED=0', where: 'the worker' },
        { text: '--no-network-family-autoselection', where: 'the worker' },
      ],
      unit: 'bbx-worker.service',
      ownUnit: false,
    });
    expect(await readProcess(813, 'nobody', dir.path)).toBeUndefined();
  });

  it.each([
    [
      '/system.slice/ci.service',
      ['sudo systemctl edit ci.service   # [Service] X=1', 'sudo systemctl restart ci.service'],
    ],
    [
      '/user.slice/user-7.slice/user@7.service/app.slice/ci.service',
      ['systemctl --user edit ci.service   # [Service] X=1', 'systemctl --user restart ci.service'],
    ],
    ['/user.slice/user-7.slice/session-2.scope', undefined],
    ['/', undefined],
  ])('has a unit changed by whose systemd runs it: %s', async (group, commands) => {
    await using dir = await tempDir();
    await write(dir.path, { '812/limits': '', '812/cgroup': `0::${group}\n` });
    const fact = await readProcess(812, 'the worker', dir.path);
    expect(fact && changeUnit(fact, 'X=1')).toEqual(commands);
  });

  it('knows no holder of a lock that nobody has', async () => {
    await using dir = await tempDir();
    await write(dir.path, { lock: '' });
    expect(await holderOf(join(dir.path, 'lock'))).toBeUndefined();
    expect(await holderOf(join(dir.path, 'none'))).toBeUndefined();
  });
});

describe('one lookup of both families', () => {
  it('gives what the system gives, in its order, and an errno where there is nothing', async () => {
    expect((await systemResolver.order('localhost')).addresses).toContain('127.0.0.1');
    const none = await systemResolver.order('no-such-name.invalid', { limitMs: 8_000 });
    expect(none.addresses).toEqual([]);
    expect(none.errno).toBeDefined();
  });
});
