import { describe, expect, it } from 'vitest';
import { sentences } from '../../../src/base/error.ts';
import { codes } from '../../../src/net/codes.ts';
import type { Attempt } from '../../../src/net/evidence.ts';
import { attemptEvidence, describeAttempt, isLocalRefusal } from '../../../src/net/evidence.ts';
import { explain, explainAttempt, SILENCE } from '../../../src/net/explain.ts';

const refusal = (code: string, local = false) =>
  Object.assign(new Error(`connect ${code} ::1:1${local ? ' - Local (:::0)' : ''}`), { code });
const attempt = (part: Partial<Attempt>): Attempt => ({
  address: '[2001:db8::2]:9989',
  family: 6,
  result: 'refused',
  local: false,
  ms: 12,
  ...part,
});

describe('explain', () => {
  it.each([
    ['connect', 'ECONNREFUSED', false, 'nothing takes connections'],
    ['connect', SILENCE, false, 'no answer at all'],
    ['connect', 'EHOSTUNREACH', false, 'did not answer its neighbours'],
    ['connect', 'EHOSTUNREACH', true, 'our own routing table'],
    ['connect', 'ENETUNREACH', true, 'this host has no route'],
    ['connect', 'ENETUNREACH', false, 'a router on the path'],
    ['connect', 'EACCES', true, 'our own routing or container policy'],
    ['connect', 'EACCES', false, 'a firewall answered'],
    ['connect', 'EINVAL', true, 'cannot be used as it is'],
    ['connect', 'EADDRNOTAVAIL', true, 'no address of that family'],
    ['connect', 'EMFILE', true, 'may not open more files'],
    ['listen', 'EADDRNOTAVAIL', false, 'not an address of this host'],
    ['listen', 'EADDRINUSE', false, 'somebody else holds this port'],
    ['listen', 'EACCES', false, 'need a privilege'],
    ['lookup', 'ENOTFOUND', false, 'no address of that family'],
    ['lookup', 'EAI_AGAIN', false, 'no nameserver gave a usable answer'],
    ['resolve', 'ENODATA', false, 'without such a record'],
    ['resolve', 'ESERVFAIL', false, 'could not find out'],
    ['resolve', 'ECONNREFUSED', false, 'nothing listens there'],
  ] as const)('%s %s, local %s: %s', (operation, errno, local, meaning) => {
    expect(explain(operation, errno, local)?.meaning).toContain(meaning);
  });

  it('says nothing about a code that it does not know', () => {
    expect(explain('connect', 'EWHATEVER')).toBeUndefined();
  });

  it('knows a refusal by our own kernel from one by the network', () => {
    expect(isLocalRefusal(refusal('ENETUNREACH', true))).toBe(true);
    expect(isLocalRefusal(refusal('ENETUNREACH'))).toBe(false);
  });

  it('explains attempts that got no answer by their silence', () => {
    expect(explainAttempt(attempt({ result: 'silent' }))?.suspect).toContain('firewall');
    expect(explainAttempt(attempt({ result: 'connected' }))).toBeUndefined();
  });
});

describe('messages', () => {
  const attempts = [
    attempt({ errno: 'ENETUNREACH', local: true }),
    attempt({ address: '192.0.2.10:9989', family: 4, result: 'silent', ms: 10_000 }),
  ];

  it('name every address with its own cause', () => {
    const error = codes['BBX-NET-UNREACHABLE']({ target: 'ci.example:9989', attempts });
    expect(error.message).toBe(
      'Cannot reach "ci.example:9989": 2 addresses failed ([2001:db8::2]:9989 ENETUNREACH (refused by this host itself), 192.0.2.10:9989 no answer within 10.0 s)',
    );
    expect(error.hint).toContain('missing default route');
    expect(error.hint).toContain('firewall');
    expect(error).toMatchObject({ exit: 3, retryable: true });
  });

  it('count the addresses that are too many to name', () => {
    const many = Array.from({ length: 9 }, () => attempt({ errno: 'ECONNREFUSED' }));
    expect(codes['BBX-NET-REFUSED']({ target: 'x:1', attempts: many }).message).toMatch(
      /^Cannot reach "x:1": 9 addresses refused .*, and 3 more\); is it running/,
    );
  });

  it('are never empty', () => {
    expect(sentences(new AggregateError([refusal('ECONNREFUSED')]))).toEqual(['connect ECONNREFUSED ::1:1']);
    expect(describeAttempt(attempt({ message: 'odd' }))).toContain('odd');
  });
});

describe('attemptEvidence', () => {
  it('keeps the raw observation, the Local suffix and the time', () => {
    expect(attemptEvidence(attempt({ errno: 'EACCES', local: true }), 0)).toEqual({
      kind: 'connect',
      what: '[2001:db8::2]:9989',
      got: 'EACCES - Local',
      at: '1970-01-01T00:00:00.000Z',
      ms: 12,
    });
  });
});
