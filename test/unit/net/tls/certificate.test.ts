import { X509Certificate, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isPin } from '../../../../src/base/pin.ts';
import { createFarmKey, FARM_NAME, selfSignedCertificate } from '../../../../src/net/tls/certificate.ts';
import { integer, objectId, octets, time } from '../../../../src/net/tls/der.ts';
import { pinOf } from '../../../../src/net/tls/pin.ts';

describe('selfSignedCertificate', () => {
  const key = createFarmKey();
  const names = ['ci.example', '192.0.2.10', '2001:db8::2', FARM_NAME];
  const certificate = new X509Certificate(selfSignedCertificate(key, { names }));

  it('is read by OpenSSL and signed with the key that it shows', () => {
    expect(certificate.subject).toBe('CN=bbx farm');
    expect(certificate.issuer).toBe(certificate.subject);
    expect(certificate.verify(createPublicKey(key))).toBe(true);
    expect(certificate.ca).toBe(false);
  });

  it('is for the given names and addresses', () => {
    expect(certificate.checkHost('ci.example')).toBe('ci.example');
    expect(certificate.checkHost('other.example')).toBeUndefined();
    expect(certificate.checkIP('192.0.2.10')).toBe('192.0.2.10');
    expect(certificate.checkIP('2001:db8::2')).toBe('2001:db8::2');
  });

  it('is valid from a day ago and never ends, because the pin is what is trusted', () => {
    const now = new Date('2060-02-03T04:05:06Z');
    const later = new X509Certificate(selfSignedCertificate(key, { now }));
    expect(later.validFromDate.toISOString()).toBe('2060-02-02T04:05:06.000Z');
    expect(later.validToDate.getUTCFullYear()).toBe(9999);
    expect(certificate.validFromDate.getTime()).toBeLessThan(Date.now());
  });

  it('has a serial number of its own each time, and a pin that stays', () => {
    const other = new X509Certificate(selfSignedCertificate(key));
    expect(other.serialNumber).not.toBe(certificate.serialNumber);
    expect(pinOf(other)).toBe(pinOf(certificate));
  });

  it('refuses another kind of key', async () => {
    const { generateKeyPairSync } = await import('node:crypto');
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(() => selfSignedCertificate(pem)).toThrow('P-256');
  });
});

describe('pinOf', () => {
  it('is the same for a key, its public half and its certificate, as text and as object', () => {
    const key = createFarmKey();
    const certificate = selfSignedCertificate(key);
    const publicKey = createPublicKey(key);
    const pin = pinOf(key);
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    for (const source of [publicKey, pem, certificate, new X509Certificate(certificate)]) {
      expect(pinOf(source)).toBe(pin);
    }
    expect(isPin(pin)).toBe(true);
    expect(pinOf(createFarmKey())).not.toBe(pin);
  });

  it.each(['', 'sha256:', `sha256:${'A'.repeat(42)}`, `sha256:${'A'.repeat(42)}B`, `sha1:${'A'.repeat(43)}`])(
    'does not take %j for a pin',
    (text) => {
      expect(isPin(text)).toBe(false);
    },
  );
});

describe('der', () => {
  it.each([
    [integer(Buffer.from([0, 0, 1])), '020101'],
    [integer(Buffer.from([0x80])), '02020080'],
    [integer(Buffer.from([0])), '020100'],
    [objectId('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    [octets(Buffer.alloc(200)).subarray(0, 3), '0481c8'],
    [octets(Buffer.alloc(300)).subarray(0, 4), '0482012c'],
    [time(new Date('2049-12-31T23:59:59Z')), '170d3439313233313233353935395a'],
    [time(new Date('2050-01-01T00:00:00Z')), '180f32303530303130313030303030305a'],
  ])('writes %#', (bytes, hex) => {
    expect(bytes.toString('hex')).toBe(hex);
  });
});
