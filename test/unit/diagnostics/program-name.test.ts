import { expect, it } from 'vitest';
import { programName } from '../../../src/diagnostics/doors/program-name.ts';

it.each([
  ['sshd', ['/usr/sbin/sshd', '-D'], 'sshd'],
  ['MainThread', ['/usr/bin/node', '/usr/local/bin/bbx', 'run', 'master'], 'bbx run master'],
  [
    'node',
    ['node', '--enable-source-maps', '/opt/bbx/bin/bbx', 'quickstart', '--dir', '/x'],
    'bbx quickstart',
  ],
  ['MainThread', ['node', '/srv/app/server.js', '--token', 'hunter2'], 'node server.js'],
  ['MainThread', ['/usr/bin/node'], 'node'],
  ['node', ['node', '-e', 'connect("hunter2")'], 'node'],
  ['MainThread', [], 'MainThread'],
])('a process with comm %s and words %j is called %s', (comm, words, name) => {
  expect(programName(comm, words.map((word) => `${word}\0`).join(''))).toBe(name);
});
