import { readMasterFile } from '../../../src/config/stock/master-file.ts';
import { readModule } from '../../../src/config/stock/module.ts';
import { readSource } from '../../../src/config/stock/source.ts';
import { readTacFile } from '../../../src/config/stock/tac-file.ts';
import { stockSubjects } from '../../../src/diagnostics/plan/stock.ts';
import type { StockRun } from '../../../src/diagnostics/facts/stock.ts';
import type { Subject } from '../../../src/diagnostics/subject.ts';
import { AT, BOTH, name, reply, target, tried, type Case } from './recorded.ts';

const module = (text: string) => readModule(readSource(Buffer.from(text)));
const place = (file: string) => ({ file: `/srv/${file}`, shown: file, named: true, covered: [], pid: null });

/** The subjects of a `master.cfg`. */
export function stockMaster(
  text: string,
  {
    missing = [],
    reach = [],
    run,
  }: { missing?: readonly string[]; reach?: readonly string[]; run?: StockRun } = {},
): Subject[] {
  const master = readMasterFile(module(`c = BuildmasterConfig = {}\n${text}`));
  const masters = [{ ...place('master.cfg'), master, missing, ...(run === undefined ? {} : { run }) }];
  return stockSubjects({ masters, workers: [], troubles: [] }, reach);
}

/** The subjects of a worker's `buildbot.tac`, whose `Worker(…)` has these arguments. */
export function stockWorker(words: string): Subject[] {
  const tac = readTacFile(module(`s = Worker(name='w1', passwd='hunter2', basedir='.', ${words})`));
  if (tac.kind !== 'worker') throw new Error('no worker is made in it');
  return stockSubjects({
    masters: [],
    workers: [{ ...place('buildbot.tac'), worker: tac.worker }],
    troubles: [],
  });
}

/** A master whose workers' port is this literal. */
const port = (literal: string) => stockMaster(`c['protocols'] = {'pb': {'port': ${literal}}}`);
const string = (literal: string) =>
  stockWorker(`buildmaster_host=None, port=None, keepalive=60, connection_string=${literal}`);
const host = (literal: string, more = '') =>
  stockWorker(`buildmaster_host=${literal}, port=9989, keepalive=60${more}`);

const V4 = '11.0.5.10';
const V6 = '2a00:2::10';
const v6only = name('ci.example', reply('nodata'), reply('answer', [V6]));
const dual = name('ci.example', reply('answer', [V4]), reply('answer', [V6]));
const v4only = name('ci.example', reply('answer', [V4]), reply('nodata'));
const TCP = { protocol: 'pb', source: 'buildbot.tac' } as const;

/** What Buildbot said when it ran the file. */
const ran = (outcome: StockRun['outcome'], ...errors: string[]): StockRun => ({
  ...{ at: AT, outcome, errors, program: '/usr/bin/buildbot', version: '3.7.0', ms: 900 },
});
const GOOD_PORT = String.raw`c['protocols'] = {'pb': {'port': r'tcp:9989:interface=\:\:'}}`;

export const STOCK_FAULTS: [title: string, given: Case, roots: string[], verdict: 'error' | 'warn'][] = [
  [
    'IPv6 that is not escaped, in a stock master',
    { subjects: port("'tcp:9989:interface=::'") },
    ['STK-01'],
    'error',
  ],
  [
    'a configuration that Buildbot does not take',
    {
      subjects: stockMaster(GOOD_PORT, {
        run: ran('errors', "builder 'b' uses unknown workers 'w9'", 'no schedulers'),
      }),
    },
    ['STK-17'],
    'error',
  ],
  ['brackets in a stock master', { subjects: port("'tcp:[::]:9989'") }, ['STK-01'], 'error'],
  ['tcp6: in a stock master', { subjects: port("'tcp6:9989'") }, ['STK-01'], 'error'],
  [
    'an address for msgpack',
    {
      subjects: stockMaster(
        String.raw`c['protocols'] = {'msgpack_experimental_v7': {'port': r'tcp:9989:interface=\:\:'}}`,
      ),
    },
    ['STK-01'],
    'error',
  ],
  ['two layers too many', { subjects: port(String.raw`r'tcp:9989:interface=\\:\\:'`) }, ['STK-02'], 'error'],
  [
    'an escape that Python warns of',
    { subjects: port(String.raw`'tcp:9989:interface=\:\:'`) },
    ['STK-03'],
    'warn',
  ],
  [
    'a connection string that means another host',
    { subjects: string("'tcp:host=::1:port=9989'") },
    ['STK-04'],
    'error',
  ],
  ['an interface that is empty', { subjects: port("'tcp:9989:interface='") }, ['STK-05'], 'warn'],
  ['a kind in capitals', { subjects: port("'TCP:9989'") }, ['STK-06'], 'error'],
  ['a worker with tcp6:', { subjects: string("'tcp6:host=ci.example:port=9989'") }, ['STK-06'], 'error'],
  [
    'a port on IPv4 alone under a name with AAAA',
    {
      names: [dual],
      subjects: stockMaster(
        "c['protocols'] = {'pb': {'port': 9989}}\nc['buildbotURL'] = 'https://ci.example/'",
      ),
    },
    ['STK-07'],
    'warn',
  ],
  [
    'a name with AAAA alone for a stock worker',
    { names: [v6only], subjects: host("'ci.example'") },
    ['STK-08'],
    'error',
  ],
  [
    'the same, with the way there tried',
    {
      names: [v6only],
      subjects: [...host("'ci.example'"), target('ci.example:9989', TCP)],
      attempts: [tried(V6, 'connected')],
      peers: [],
    },
    ['STK-08'],
    'error',
  ],
  ['an address in brackets in buildbot.tac', { subjects: host("'[::1]'") }, ['STK-08'], 'error'],
  ['TLS to an address', { subjects: host("'2001:db8::2'", ', useTls=True') }, ['STK-09'], 'error'],
  ['TLS as create-worker writes it', { subjects: host("'2001:db8::2'", ', useTls=1') }, ['STK-09'], 'error'],
  [
    'msgpack to an address',
    { subjects: host("'::1'", ", protocol='msgpack_experimental_v7'") },
    ['STK-10'],
    'error',
  ],
  [
    'msgpack with a connection string',
    {
      subjects: stockWorker(
        "keepalive=60, protocol='msgpack_experimental_v7', connection_string='ws://[2001:db8::2]:9989'",
      ),
    },
    ['STK-10'],
    'error',
  ],
  [
    'host and connection string',
    { subjects: host("'ci.example'", ", connection_string='tcp:host=ci.example:port=1'") },
    ['STK-11'],
    'error',
  ],
  [
    'no keepalive',
    { subjects: stockWorker("buildmaster_host='192.0.2.1', port=9989, keepalive=0") },
    ['STK-12'],
    'warn',
  ],
  [
    'a key that is not there',
    {
      subjects: stockMaster(
        String.raw`c['protocols'] = {'pb': {'port': r'ssl:9989:privateKey=k.pem:interface=\:\:'}}`,
        { missing: ['k.pem'] },
      ),
    },
    ['STK-13'],
    'error',
  ],
  ['a colon in the path of a key', { subjects: port("'ssl:9989:privateKey=C:/k.pem'") }, ['STK-13'], 'error'],
  [
    'a TLS port whose address is not escaped',
    { subjects: port("'ssl:9989:interface=::1:privateKey=k.pem:certKey=c.pem'") },
    ['STK-01'],
    'error',
  ],
  [
    'a web address with another port',
    {
      subjects: stockMaster(
        String.raw`c['www'] = dict(port=r'tcp:8010:interface=\:\:')
c['protocols'] = {'pb': {'port': r'tcp:9989:interface=\:\:'}}
c['buildbotURL'] = 'http://192.0.2.1:8020/'`,
      ),
    },
    ['STK-14'],
    'warn',
  ],
  [
    'a name with AAAA alone that workers with tcp: dial',
    {
      names: [v6only],
      subjects: stockMaster(String.raw`c['protocols'] = {'pb': {'port': r'tcp:9989:interface=\:\:'}}`, {
        reach: ['ci.example'],
      }),
    },
    ['STK-16'],
    'warn',
  ],
  [
    'a name that leads to another address than the one that is listened on',
    {
      names: [dual],
      subjects: stockMaster(`c['protocols'] = {'pb': {'port': 'tcp:9989:interface=127.0.0.1'}}`, {
        reach: ['ci.example'],
      }),
    },
    ['STK-16'],
    'error',
  ],
  [
    'a port on IPv4 alone under an address of IPv6',
    {
      subjects: stockMaster(`c['protocols'] = {'pb': {'port': 9989}}`, { reach: [V6] }),
      intent: BOTH,
    },
    ['STK-07'],
    'error',
  ],
  [
    'an address without brackets behind a proxy',
    { subjects: host("'2001:db8::2'", ", proxy_connection_string='tcp:proxy.example:3128'") },
    ['PRX-04'],
    'warn',
  ],
  ['localhost as an interface', { subjects: port("'tcp:9989:interface=localhost'") }, ['STK-15'], 'warn'],
];

export const STOCK_CONTROLS: [title: string, given: Case][] = [
  ['a configuration that Buildbot takes', { subjects: stockMaster(GOOD_PORT, { run: ran('good') }) }],
  ['a stock master on both families', { subjects: port(String.raw`r'tcp:9989:interface=\:\:'`) }],
  [
    'the same, with a name between',
    {
      subjects: stockMaster(String.raw`p = 9989
c['protocols'] = {'pb': {'port': f'tcp:{p}:interface=\\:\\:'}}`),
    },
  ],
  ['a stock master on loopback', { subjects: port("'tcp:9989:interface=127.0.0.1'") }],
  ['a stock master without IPv6 in its plan', { subjects: port('9989') }],
  ['a stock worker with an address', { subjects: host("'2001:db8::2'") }],
  [
    'a stock worker with an address in brackets behind a proxy',
    { subjects: host("'[2001:db8::2]'", ", proxy_connection_string='tcp:proxy.example:3128'") },
  ],
  [
    'a stock worker with an escaped address',
    { subjects: string(String.raw`r'tcp:host=2001\:db8\:\:2:port=9989'`) },
  ],
  ['a stock worker with a name', { names: [v4only], subjects: host("'ci.example'") }],
  [
    'a stock worker with TLS and a name with AAAA alone',
    { names: [v6only], subjects: host("'ci.example'", ', useTls=True') },
  ],
  [
    'a stock master with TLS under a name with AAAA alone',
    {
      names: [v6only],
      subjects: stockMaster(
        String.raw`c['protocols'] = {'pb': {'port': r'ssl:9989:privateKey=k.pem:interface=\:\:'}}`,
        { reach: ['ci.example'] },
      ),
    },
  ],
  ['a stock worker with a name of both families', { names: [dual], subjects: host("'ci.example'") }],
];
