import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePostgresAddress, printPostgresAddress } from '../../../src/base/postgres-address.ts';

const parsed = (text: string) => {
  const address = parsePostgresAddress(text);
  if ('problem' in address) throw new Error(address.problem);
  return address;
};

describe('the address of a PostgreSQL database', () => {
  it.each([
    ['postgres://bbx@db.example/farm', [['db.example', 5432]], 'bbx', 'farm'],
    ['postgresql://bbx@db.example:6000/farm', [['db.example', 6000]], 'bbx', 'farm'],
    ['postgres://[2001:db8::2]:6000/farm', [['2001:db8::2', 6000]], undefined, 'farm'],
    ['postgres://bbx@[fe80::1%eth0]/', [['fe80::1%eth0', 5432]], 'bbx', undefined],
    [
      'postgres://bbx@a:1,[::1],c:3/farm',
      [
        ['a', 1],
        ['::1', 5432],
        ['c', 3],
      ],
      'bbx',
      'farm',
    ],
    [
      'postgres://bbx@a,b/farm?port=6000',
      [
        ['a', 6000],
        ['b', 6000],
      ],
      'bbx',
      'farm',
    ],
    ['postgres://bbx@%2Frun%2Fpg/farm', [['/run/pg', 5432]], 'bbx', 'farm'],
    ['postgres:///farm?host=/run/pg&port=5433', [['/run/pg', 5433]], undefined, 'farm'],
    ['postgres://', [['/var/run/postgresql', 5432]], undefined, undefined],
    ['postgres://b%40b@db/f%2Farm', [['db', 5432]], 'b@b', 'f/arm'],
  ] as [string, [string, number][], string | undefined, string | undefined][])(
    'is read from %s',
    (text, hosts, user, database) => {
      expect(parsed(text)).toMatchObject({
        hosts: hosts.map(([host, port]) => ({ host, port })),
        user,
        database,
      });
    },
  );

  it('has options for TLS, the password’s file and the schema', () => {
    const text =
      'postgres://u@h/d?sslmode=verify-ca&sslrootcert=ca.pem&sslcert=c.pem&sslkey=k.pem&password=@secrets/store&schema=farm';
    expect(parsed(text)).toMatchObject({
      tls: 'verify-ca',
      ca: 'ca.pem',
      certificate: 'c.pem',
      key: 'k.pem',
      passwordFile: 'secrets/store',
      schema: 'farm',
    });
  });

  it.each([
    ['postgres:db', 'it is not of the form postgres://user@host/database'],
    ['postgres://u:geheim@h/d', 'it holds a password'],
    ['postgres://u@h/d?password=geheim', 'its option password names a file: password=@secrets/store'],
    ['postgres://u@h/d?passwort=x', /^it has no option "passwort" \(host, port, /],
    [
      'postgres://u@h/d?sslmode=prefer',
      'its option sslmode is one of disable, require, verify-ca, verify-full',
    ],
    ['postgres://u@h:0/d', /^"h:0" in it is not a host/],
    ['postgres://u@h:99999/d', /^"h:99999" in it is not a host/],
    ['postgres://u@2001:db8::2/d', /^"2001:db8::2" in it is not a host, \[IPv6 address\]/],
    ['postgres://u@a,,b/d', /^"" in it is not a host/],
    ['postgres://u%@h/d', 'its user is not written soundly'],
    ['postgres://u@h/d%00', 'its database is not written soundly'],
    ['postgres://u@h/a/b', 'it is not of the form postgres://user@host/database'],
  ])('is refused as %s', (text, problem) => {
    const found = parsePostgresAddress(text) as { problem: string };
    if (typeof problem === 'string') expect(found.problem).toBe(problem);
    else expect(found.problem).toMatch(problem);
    expect(found.problem).not.toContain('geheim');
  });

  it('prints itself so that it is read as the same', () => {
    const name = fc
      .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
      .filter((text) => !text.includes('\0') && text.isWellFormed());
    const host = fc.oneof(
      fc.constantFrom('db.example', '10.0.0.1', '2001:db8::2', '::1', 'fe80::1%eth0', '/run/a:b', '/a%25b'),
      name.map((text) => `/${text}`),
    );
    const hosts = fc.array(fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(hosts, name, name, (some, user, database) => {
        const address = { ...parsed('postgres://'), hosts: some, user, database };
        expect(parsed(printPostgresAddress(address))).toEqual(address);
      }),
      { numRuns: 300 },
    );
  });

  it('never fails on anything else', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        parsePostgresAddress(text);
        parsePostgresAddress(`postgres://${text}`);
      }),
      { numRuns: 1_000 },
    );
  });
});
