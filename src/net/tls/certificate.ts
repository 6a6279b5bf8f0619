import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import * as der from './der.ts';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';

/** RFC 5280 section 4.1.2.5: "no well-defined expiration date". What is trusted is the pinned key, not a date. */
const NEVER = new Date('9999-12-31T23:59:59Z');
/** Hosts whose clocks are behind must accept a certificate that was just made. */
const CLOCK_TOLERANCE_MS = 24 * 3_600_000;

/** The name in certificates of farms; clients that pin need no other, and no host has it. */
export const FARM_NAME = 'bbx-farm.invalid';

/** A new P-256 private key, as the PEM of its PKCS #8 form. */
export function createFarmKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * A certificate for a P-256 private key (PEM), signed by itself, with `names` (DNS names and IP addresses) as subjectAltName. The PEM
 * of an X.509 v3 certificate, RFC 5280. Written out by hand: it is small, and the library for it costs 0.1 s at every start.
 */
export function selfSignedCertificate(
  privateKeyPem: string,
  options: { names?: readonly string[]; now?: Date } = {},
): string {
  const privateKey = createPrivateKey(privateKeyPem);
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new TypeError('a farm key is a P-256 key');
  }
  const now = options.now ?? new Date();
  const name = der.sequence(der.set(der.sequence(der.objectId(COMMON_NAME), der.utf8('bbx farm'))));
  const algorithm = der.sequence(der.objectId(ECDSA_WITH_SHA256));
  const serial = randomBytes(16);
  // A serial number must be positive, and its first byte not zero, so that all have one length.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const body = der.sequence(
    der.tagged(0, true, der.integer(Buffer.from([2]))),
    der.integer(serial),
    algorithm,
    name,
    der.sequence(der.time(new Date(now.getTime() - CLOCK_TOLERANCE_MS)), der.time(NEVER)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der.tagged(3, true, extensions(options.names ?? [])),
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = der.sequence(body, algorithm, der.bits(signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extensions(names: readonly string[]): Buffer {
  const all = [FARM_NAME, ...names.filter((name) => name !== FARM_NAME)];
  const digitalSignature = Buffer.from([0x80]);
  return der.sequence(
    extension(BASIC_CONSTRAINTS, true, der.sequence()),
    extension(KEY_USAGE, true, der.bits(digitalSignature, 7)),
    extension(SUBJECT_ALT_NAME, false, der.sequence(...all.map(generalName))),
  );
}

function extension(id: string, critical: boolean, content: Uint8Array): Buffer {
  return der.sequence(der.objectId(id), ...(critical ? [der.yes()] : []), der.octets(content));
}

function generalName(name: string): Buffer {
  const plain = name.split('%')[0] ?? '';
  if (isIP(plain) !== 0) return der.tagged(7, false, Buffer.from(ipaddr.parse(plain).toByteArray()));
  return der.tagged(2, false, Buffer.from(name, 'ascii'));
}
