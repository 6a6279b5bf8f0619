import type { LabCase } from './case.ts';

/** A stock master.cfg with its worker port written so, as Python. */
const masterCfg = (port: string) => `from buildbot.plugins import *

c = BuildmasterConfig = {}
c['workers'] = [worker.Worker("w1", "pass")]
c['protocols'] = {'pb': {'port': ${port}}}
c['schedulers'] = []
c['builders'] = []
c['title'] = "lab"
c['buildbotURL'] = "http://dual.test:8010/"
c['www'] = dict(port=r"tcp:8010:interface=\\:\\:", plugins=dict())
`;

/** A stock worker's buildbot.tac as create-worker writes it, but for what is given. */
const tac = (
  given: Partial<Record<'host' | 'port' | 'keepalive' | 'tls' | 'protocol' | 'more', string>>,
) => `import os

from buildbot_worker.bot import Worker
from twisted.application import service

basedir = '.'
rotateLength = 10000000
maxRotatedFiles = 10

application = service.Application('buildbot-worker')

buildmaster_host = ${given.host ?? "'dual.test'"}
port = ${given.port ?? '9989'}
workername = 'w1'
passwd = 'pass'
keepalive = ${given.keepalive ?? '60'}
umask = None
maxdelay = 300
numcpus = None
allow_shutdown = None
maxretries = None
use_tls = ${given.tls ?? '0'}
delete_leftover_dirs = 0
protocol = ${given.protocol ?? "'pb'"}

s = Worker(buildmaster_host, port, workername, passwd, basedir,
           keepalive, umask=umask, maxdelay=maxdelay,
           numcpus=numcpus, allow_shutdown=allow_shutdown,
           maxRetries=maxretries, useTls=use_tls,
           delete_leftover_dirs=delete_leftover_dirs${given.more ?? ''}, protocol=protocol)
s.setServiceParent(application)
`;

const ofMaster = (id: string, title: string, port: string, root: readonly string[]): LabCase => ({
  id,
  title: `stock master: ${title}`,
  recipe: { files: { 'master.cfg': masterCfg(port) } },
  doctor: ['config', 'master.cfg'],
  root,
});

const ofWorker = (
  id: string,
  title: string,
  given: Parameters<typeof tac>[0],
  root: readonly string[],
): LabCase => ({
  id,
  title: `stock worker: ${title}`,
  recipe: {
    files: { 'buildbot.tac': tac(given) },
    listeners: { M: [{ host: '::', port: 9989, does: { says: 'pb' } }] },
  },
  doctor: ['config', 'buildbot.tac'],
  root,
  also: ['DNS-05'],
});
const connection = (text: string) => ({ host: 'None', port: 'None', more: `, connection_string=${text}` });

/** Endpoint strings of stock Buildbot, right and wrong, through both of their layers. */
export const STOCK: readonly LabCase[] = [
  ofMaster('F77a', 'interface=\\\\:\\\\: in a plain string', '"tcp:9989:interface=\\\\:\\\\:"', []),
  ofMaster('F77b', 'interface=\\:\\: in a raw string', 'r"tcp:9989:interface=\\:\\:"', []),
  ofMaster('F77c', 'interface=:: not escaped', '"tcp:9989:interface=::"', ['STK-01']),
  ofMaster('F77d', 'interface=[::]', '"tcp:9989:interface=[::]"', ['STK-01']),
  ofMaster('F77e', 'interface=::1 not escaped', "'tcp:9989:interface=::1'", ['STK-01']),
  ofMaster('F77f', 'tcp6:', "'tcp6:9989'", ['STK-01']),
  ofMaster('F77g', 'escaped twice', 'r"tcp:9989:interface=\\\\:\\\\:"', ['STK-02']),
  ofMaster('F77h', 'escapes that Python does not know', '"tcp:9989:interface=\\:\\:"', ['STK-03']),
  {
    ...ofMaster('F77i', 'an empty part behind the port', '"tcp:9989:"', ['STK-05']),
    also: ['STK-07'],
  },
  ofMaster('F77j', 'TCP: in capitals', '"TCP:9989"', ['STK-06']),
  ofMaster('F77k', 'interface=localhost', '"tcp:9989:interface=localhost"', ['STK-15']),
  ofMaster('F77l', 'a port that is put together when it runs', 'os.environ["PORT"]', []),
  {
    id: 'F77m',
    title: 'stock master: a number alone, whose name has AAAA',
    recipe: { files: { 'master.cfg': masterCfg('9989') } },
    doctor: ['ipv6', '--stock', '.'],
    root: ['STK-07'],
    // Its web port is open to everybody, which is true as well.
    also: ['LSN-10'],
  },
  ofWorker('F78a', 'a name with AAAA alone', { host: "'six.test'" }, ['STK-08', 'DNS-05']),
  ofWorker('F78b', 'brackets around the address', { host: "'[2a00:2::2]'" }, ['STK-08']),
  ofWorker('F78c', 'the address as it is', { host: "'2a00:2::2'" }, []),
  ofWorker('F78d', 'a connection string that is not escaped', connection("'tcp:host=::1:port=9989'"), [
    'STK-04',
  ]),
  ofWorker('F78e', 'a connection string with brackets', connection("'tcp:host=[::1]:port=9989'"), ['STK-04']),
  ofWorker('F78f', 'a connection string, escaped', connection("r'tcp:host=2a00\\:2\\:\\:2:port=9989'"), []),
  ofWorker('F78g', 'tcp6:', connection("'tcp6:host=dual.test:port=9989'"), ['STK-06']),
  ofWorker('F78h', 'useTls and an IPv6 address', { host: "'2a00:2::2'", tls: '1' }, ['STK-09']),
  ofWorker(
    'F78i',
    'msgpack and an IPv6 address',
    { host: "'2a00:2::2'", protocol: "'msgpack_experimental_v7'" },
    ['STK-10'],
  ),
  ofWorker(
    'F78j',
    'host and connection string',
    { more: ", connection_string='tcp:host=dual.test:port=9989'" },
    ['STK-11'],
  ),
  ofWorker('F78k', 'no keepalive', { keepalive: '0' }, ['STK-12']),
  ofWorker(
    'F78l',
    'an IPv6 address without brackets, behind a proxy',
    { host: "'2a00:2::2'", more: ", proxy_connection_string='tcp:11.0.1.1:port=3128'" },
    ['PRX-04'],
  ),
];
