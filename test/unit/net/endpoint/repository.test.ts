import { describe, expect, it } from 'vitest';
import { parseRepository } from '../../../../src/net/endpoint/repository.ts';

describe('the address of a repository', () => {
  it.each([
    ['https://git.example/project.git', 'https', 'git.example', 443],
    ['http://me:secret@git.example:8080/project.git', 'http', 'git.example', 8080],
    ['ssh://git@git.example/project.git', 'ssh', 'git.example', 22],
    ['ssh://git@[2001:db8::2]:2222/project.git', 'ssh', '2001:db8::2', 2222],
    ['https://[2001:db8::2]/project.git', 'https', '2001:db8::2', 443],
    ['git://git.example/project.git', 'git', 'git.example', 9418],
    ['svn://svn.example/trunk', 'svn', 'svn.example', 3690],
    ['git@git.example:project.git', 'ssh', 'git.example', 22],
    ['git.example:project.git', 'ssh', 'git.example', 22],
    ['git@[2001:db8::2]:project.git', 'ssh', '2001:db8::2', 22],
    ['git@192.0.2.1:project.git', 'ssh', '192.0.2.1', 22],
  ])('%s leads to its host and port', (text, scheme, host, port) => {
    expect(parseRepository(text)).toEqual({ kind: 'remote', scheme, host, port });
  });

  it.each(['/srv/git/project.git', '../project.git', 'file:///srv/git/project.git', 'project', '~/project'])(
    '%s is a path of this machine',
    (text) => {
      expect(parseRepository(text)).toEqual({ kind: 'local' });
    },
  );

  it.each([
    ['git@2001:db8::2:project.git', 'git@[2001:db8::2]:project.git'],
    ['git@::1:project.git', 'git@[::1]:project.git'],
    ['https://2001:db8::2/project.git', 'https://[2001:db8::2]/project.git'],
    ['ssh://git@2001:db8::2/project.git', 'ssh://git@[2001:db8::2]/project.git'],
    ['ssh://git@git.example:project.git', 'ssh://git@git.example/project.git'],
    ['https://[fe80::1%eth0]/project.git', null],
    ['git@[fe80::1%25eth0]:project.git', null],
    ['https://[nonsense]/project.git', null],
    ['https:///project.git', null],
    ['ssh://git@git.example:99999/project.git', null],
    ['nonsense://git.example/project.git', null],
    ['https://git..example/project.git', null],
  ])('%s is a mistake, written %s', (text, write) => {
    expect(parseRepository(text)).toMatchObject({ kind: 'fault', write });
  });

  it.each([
    '',
    ':',
    '@:',
    '://',
    'git@:x',
    `https://${'a'.repeat(100_000)}/`,
    `git@${':'.repeat(5_000)}`,
    'x\n:y',
  ])('reads %j to an end', (text) => {
    expect(['local', 'remote', 'fault']).toContain(parseRepository(text).kind);
  });
});
