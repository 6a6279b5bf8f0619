import { describe, expect, it } from 'vitest';
import { kindOf } from '../../../src/net/address-kind.ts';
import { createPseudonyms } from '../../../src/diagnostics/share.ts';
import { namesIn } from '../../../src/diagnostics/share-names.ts';
import { withoutSecrets } from '../../../src/diagnostics/without-secrets.ts';
import { target } from './recorded.ts';

const make = () =>
  createPseudonyms({
    hosts: ['ci.corp.test', 'w7', 'build.host+1'],
    workers: ['w7'],
    users: ['jan'],
    paths: ['farm/master'],
  });

describe('a text to be shown to others', () => {
  it.each([
    ['tcp [2a00:1:2:3::10]:9989: no answer', 'tcp [2001:db8:1:1::1]:9989: no answer'],
    [
      '2a00:1:2:3::a, 2a00:1:2:3::b, 2a00:1:2:4::a; 2a00:1:9::1',
      '2001:db8:1:1::1, 2001:db8:1:1::2, 2001:db8:1:2::1; 2001:db8:2:1::1',
    ],
    ['10.7.2.3 10.7.2.9 10.7.3.1 10.8.0.1', '10.1.1.2 10.1.1.3 10.1.2.2 10.2.1.2'],
    ['64:ff9b::8.8.8.8 ::ffff:10.7.2.3', '64:ff9b::198.18.1.2 ::ffff:10.1.1.2'],
    ['fe80::a00:27ff:fe4e:66a1%eth0', 'fe80::1%eth0'],
    [
      "subjectAltName IP:2a00:1::2, or 'tcp:10.7.2.3:9989'",
      "subjectAltName IP:2001:db8:1:1::1, or 'tcp:10.1.1.2:9989'",
    ],
    ['IP Address:10.7.2.3, DNS:ci.corp.test', 'IP Address:10.1.1.2, DNS:host-1.domain-1.example'],
    [
      String.raw`tcp:host=2a00\:1\:\:2:port=9989 and \\:\\:`,
      String.raw`tcp:host=2001\:db8\:1\:1\:\:1:port=9989 and \\:\\:`,
    ],
    ['AAAA ci.corp.test from 10.7.2.3', 'AAAA host-1.domain-1.example from 10.1.1.2'],
    [
      'git.corp.test and db.corp.test and x.other.test',
      'host-1.domain-1.example and host-2.domain-1.example and host-3.domain-2.example',
    ],
    ['worker:w7 on w7', 'worker:host-1 on host-1'],
    ['/home/jan/farm/master/master.yaml:3:4', '/home/user-1/dir-1/master/master.yaml:3:4'],
    ['the master in farm/master', 'the master in dir-1/master'],
    ['ssh -p 22 jan@git.corp.test', 'ssh -p 22 user-1@host-1.domain-1.example'],
    ['jan@git.corp.test:team/app.git', 'user-1@host-1.domain-1.example:dir-1/dir-2'],
    ['https://git.corp.test:8443/team/app.git?token=x', 'https://host-1.domain-1.example:8443/dir-1/dir-2'],
    ['ssh://jan@[2a00:1::2]/srv/app.git', 'ssh://user-1@[2001:db8:1:1::1]/srv/dir-1'],
    [`instance sha256:${'a'.repeat(43)}`, 'instance sha256:key-1'],
    ['ether 52:54:00:12:34:56', 'ether 02:00:00:00:00:01'],
    ['323230206d61696c2e636f7270 "220"', '32323020… "220"'],
  ])('%s becomes %s', (text, wanted) => {
    expect(make()(text)).toBe(wanted);
  });

  it.each([
    'sysctl -w net.ipv6.conf.all.disable_ipv6=0',
    '/proc/net/if_inet6, /etc/hosts and /proc/812/limits',
    'at 2026-11-22T06:15:16.000Z in 3.5 s, bbx 0.1.0, Node 24.21.0',
    'listen.workers "::1:9989": network.families of master.yaml',
    '127.0.0.1 ::1 :: 0.0.0.0 localhost 2001:db8::2 192.0.2.1',
    'nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu',
    'AAAA ipv4only.arpa; bbx doctor explain PTH-02; and/or 2/3',
  ])('%s stays', (text) => {
    expect(make()(text)).toBe(text);
  });

  it('keeps family and kind of every address, and gives the same one each time', () => {
    const change = make();
    const private4 = ['10.1.2.3', '172.20.1.1', '192.168.7.7', '100.70.0.1', '169.254.3.3'];
    for (const address of [...private4, 'fd12:3456:789a::1', 'fe80::7', '::ffff:8.8.8.8']) {
      expect(kindOf(change(address)), address).toBe(kindOf(address));
      expect(change(address)).toBe(change(address));
    }
  });

  it('changes every text of a value, its keys too', () => {
    expect(make()({ 'ci.corp.test': [{ at: 1, host: 'ci.corp.test' }] })).toEqual({
      'host-1.domain-1.example': [{ at: 1, host: 'host-1.domain-1.example' }],
    });
  });

  it('knows names without a dot from what was looked at and by whom', () => {
    const names = namesIn(
      {
        plan: { subjects: [target('builder-host:9989')], vantage: 'worker:linux-7' },
        facts: [{ facts: { hostname: 'secretbox', servers: [{ server: '10.0.0.53' }] } }],
      },
      { USER: 'jan', HOME: '/home/jan' },
    );
    expect(createPseudonyms(names)('from linux-7 (secretbox, jan) to builder-host:9989')).toBe(
      'from worker-1 (host-1, user-1) to host-2:9989',
    );
  });
});

describe('a report', () => {
  it.each([
    ['postgres://bbx:hunter2@db/farm'],
    ['https://jan:hunter2@git.test/app.git'],
    ['socks5://jan:hunter2@[::1]:1080'],
    ['Proxy-Authorization: Basic hunter2'],
    ['password="hunter2"'],
    ['BBX_TOKEN=hunter2'],
    ['-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----'],
    ['c["workers"] = [worker.Worker("w1", "hunter2")]'],
  ])('holds no secret: %s', (text) => {
    expect(JSON.stringify(withoutSecrets({ evidence: [{ got: text }] }))).not.toContain('hunter2');
  });
});
