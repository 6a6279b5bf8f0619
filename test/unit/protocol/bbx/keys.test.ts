import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createFarmKey } from '../../../../src/net/tls/certificate.ts';
import { pinOf } from '../../../../src/net/tls/pin.ts';
import {
  createWorkerKey,
  readSigningKey,
  signAuthentication,
  signGreeting,
  verifyAuthentication,
  verifyGreeting,
} from '../../../../src/protocol/bbx/keys.ts';

const binding = {
  nonce: Buffer.alloc(32, 1),
  challenge: Buffer.alloc(32, 2),
  exporter: Buffer.alloc(32, 3),
  epoch: 'e1',
};
const claim = { ...binding, name: 'w1', boot: 'b1' };

describe('keys', () => {
  it.each([
    ['worker', () => createWorkerKey().pem],
    ['farm', createFarmKey],
  ])('of a %s sign and verify, and have the pin that TLS sees', (_, make) => {
    const pem = make();
    const key = readSigningKey(pem, 'key.pem');
    expect(key.fingerprint).toBe(pinOf(createPublicKey(pem)));
    expect(verifyGreeting(key.publicKey, binding, signGreeting(key, binding))).toBe(true);
    expect(verifyAuthentication(key.publicKey, claim, signAuthentication(key, claim))).toBe(true);
    // One kind of signature is never good for the other.
    expect(verifyAuthentication(key.publicKey, claim, signGreeting(key, binding))).toBe(false);
  });

  it.each(['nonce', 'challenge', 'exporter'] as const)('do not verify with another %s', (field) => {
    const { key } = createWorkerKey();
    const other = { ...claim, [field]: Buffer.alloc(32, 9) };
    expect(verifyAuthentication(key.publicKey, other, signAuthentication(key, claim))).toBe(false);
  });

  it('bind name and boot apart: "ab"+"c" is not "a"+"bc"', () => {
    const { key } = createWorkerKey();
    const signature = signAuthentication(key, { ...claim, name: 'ab', boot: 'c' });
    expect(verifyAuthentication(key.publicKey, { ...claim, name: 'a', boot: 'bc' }, signature)).toBe(false);
  });

  it('of other kinds are refused, for reading and for verifying', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    expect(() => readSigningKey(pem, 'key.pem')).toThrow(/Cannot read the key "key.pem": its kind is rsa/);
    expect(() => readSigningKey('nonsense', 'key.pem')).toThrow(/not a private key in PEM/);
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    expect(verifyGreeting(spki, binding, 'AAAA')).toBe(false);
    expect(verifyGreeting(Buffer.from('junk'), binding, 'AAAA')).toBe(false);
  });
});
