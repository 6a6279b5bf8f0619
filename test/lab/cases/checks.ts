import type { LabCase } from './case.ts';
import { masterYaml, shell, workerYaml } from './directories.ts';

const M4 = '11.0.2.2';
const W4 = '11.0.1.2';
const master = { listen: '[::]:9989' };
const listening = { M: [{ host: '::', port: 9989 }] };

/** One fault for each check that no other case has as its only root, so that each is missed when it is gone: of this host, its listeners, names and paths. */
export const CHECKS: readonly LabCase[] = [
  {
    id: 'X70',
    title: 'a port that is no port',
    recipe: { files: { 'worker.yaml': 'name: w1\nmaster: "dual.test:99899"\n' } },
    doctor: ['config'],
    root: ['CFG-01'],
  },
  {
    id: 'X71',
    title: 'a worker that does not run',
    recipe: { files: workerYaml },
    doctor: ['host'],
    root: ['RUN-01'],
    fact: true,
  },
  {
    id: 'X72',
    title: 'the disk of the spool is full',
    recipe: {
      files: workerYaml,
      under: shell(
        'mkdir spool; mount -t tmpfs -o size=64k tmpfs spool; head -c 99999 /dev/zero > spool/full 2> /dev/null',
      ),
    },
    doctor: ['host'],
    root: ['DSK-01'],
  },
  {
    id: 'X73',
    title: "the store's server is not there",
    recipe: { files: masterYaml({ store: `postgres://farm@${M4}:5432/farm` }) },
    doctor: [],
    root: ['STO-01'],
  },
  {
    id: 'X74',
    title: 'a network of its own',
    recipe: {},
    doctor: ['host'],
    root: ['HST-10'],
    fact: true,
  },
  {
    id: 'X75',
    title: 'nothing listens',
    recipe: {},
    doctor: ['ipv6', '--listen', '[::]:9989'],
    root: ['LSN-01'],
    fact: true,
  },
  {
    id: 'X76',
    title: 'a master that is to listen on loopback alone, while workers come from elsewhere',
    recipe: { files: masterYaml({ workers: 'localhost:9989', more: `reach: ["${W4}:9989"]` }) },
    doctor: ['listen'],
    root: ['LSN-08'],
  },
  {
    id: 'X77',
    title: 'the web port speaks plain HTTP to everybody',
    recipe: { files: masterYaml({ web: '[::]:8010' }) },
    doctor: ['listen'],
    root: ['LSN-10'],
  },
  {
    id: 'X78',
    title: 'a name with A alone, where IPv6 is meant',
    recipe: { listeners: listening },
    doctor: ['ipv6', 'four.test:9989', '--protocol', 'tcp'],
    root: ['DNS-04'],
    target: 'four.test:9989',
  },
  {
    id: 'X79',
    title: "gai.conf gives the master's network a label of its own: programs try IPv4 first",
    recipe: {
      etc: { 'gai.conf': 'label ::/0 1\nlabel ::ffff:0:0/96 4\nlabel 2a00:2::/32 99\n' },
      listeners: listening,
    },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['DNS-16'],
    fact: true,
    target: 'dual.test:9989',
  },
  {
    id: 'X80',
    title: 'a dead AAAA, where the farm goes by IPv4: other programs wait for it',
    recipe: {
      names: { 'half.test': { A: [M4], AAAA: ['2a00:2::dead'] } },
      files: masterYaml({ more: 'network: { families: [4] }' }),
      listeners: listening,
    },
    doctor: ['reach', 'half.test:9989', '--protocol', 'tcp'],
    root: ['PTH-03'],
    target: 'half.test:9989',
  },
  {
    id: 'X81',
    title: "the master sees another address than the worker's own",
    recipe: { plan: 'container', master },
    doctor: ['reach', 'dual.test:9989'],
    root: ['PTH-13'],
    fact: true,
    target: 'dual.test:9989',
  },
];
