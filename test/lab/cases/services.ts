import type { LabCase } from './case.ts';
import { masterYaml } from './directories.ts';

const W4 = '11.0.1.2';
const SERVICE = 'bbx.service';

/** The unit of the master of this directory, as a user may have it; nothing is started unless the case says so. */
function serviceOf({ unit = '', service = '' } = {}): string {
  return [
    '[Unit]',
    'DefaultDependencies=no',
    unit,
    '[Service]',
    "ExecStart=/bin/sh -c 'exit 3' bbx run master $STAGE/here",
    service,
    '',
  ].join('\n');
}

/** What systemd says of the unit that runs a master: a real manager of a user with that unit alone. */
export const SERVICES: readonly LabCase[] = [
  {
    id: 'X110',
    title: 'the unit of the master has failed, and is not started again',
    recipe: {
      files: masterYaml(),
      units: { [SERVICE]: serviceOf() },
      after: {
        W: [
          `systemctl --user start ${SERVICE}`,
          `for i in $(seq 100); do systemctl --user is-failed -q ${SERVICE} && break; sleep 0.05; done`,
        ],
      },
      programs: ['systemctl'],
    },
    doctor: ['host'],
    root: ['SVC-01'],
  },
  {
    id: 'X111',
    title: 'the unit of the master forbids IPv6',
    recipe: {
      files: masterYaml(),
      units: { [SERVICE]: serviceOf({ service: 'RestrictAddressFamilies=AF_UNIX AF_INET AF_NETLINK' }) },
      programs: ['systemctl'],
    },
    doctor: ['host'],
    root: ['SVC-02'],
  },
  {
    id: 'X112',
    title: 'a master that listens on one address, and whose unit does not wait for it',
    recipe: {
      files: masterYaml({ workers: `${W4}:9989` }),
      units: { [SERVICE]: serviceOf() },
      programs: ['systemctl'],
    },
    doctor: ['host'],
    root: ['SVC-03'],
  },
  {
    id: 'X113',
    title: "a socket unit opens the master's port for it",
    recipe: {
      files: masterYaml(),
      units: {
        [SERVICE]: serviceOf(),
        'bbx.socket': '[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=[::]:9989\n',
      },
      after: { W: ['systemctl --user start bbx.socket'] },
      programs: ['systemctl'],
    },
    doctor: ['host'],
    root: ['SVC-04'],
  },
  {
    id: 'C-service',
    title: "a master's unit that waits for the network and lets it use all of it",
    recipe: {
      files: masterYaml({ workers: `${W4}:9989` }),
      units: {
        [SERVICE]: serviceOf({
          unit: 'After=network-online.target',
          service: 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
        }),
      },
      programs: ['systemctl'],
    },
    doctor: ['host'],
    root: [],
  },
];
