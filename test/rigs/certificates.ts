import { createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { createFarmKey } from '../../src/net/tls/certificate.ts';
import * as der from '../../src/net/tls/der.ts';

/** A certificate and its key; what it signs names it as issuer. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly subject: string;
}

export interface CertificateWish {
  /** Common name of the subject. */
  subject: string;
  /** Undefined: it signs itself. */
  issuer?: Issued;
  /** DNS names and addresses of subjectAltName; undefined: none at all. */
  names?: readonly string[];
  authority?: boolean;
  from?: Date;
  to?: Date;
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const DAY_MS = 86_400_000;
/** Days from now, the past with a minus. */
export const days = (count: number) => new Date(Date.now() + count * DAY_MS);

/** Makes a certificate as wanted, wrong ones too, with a new P-256 key. */
export function issue(wish: CertificateWish): Issued {
  const { subject, issuer, names, authority = false, from = days(-1), to = days(200) } = wish;
  const key = createFarmKey();
  const privateKey = createPrivateKey(key);
  const signer: KeyObject = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const algorithm = der.sequence(der.objectId(ECDSA_WITH_SHA256));
  const serial = randomBytes(12);
  serial[0] = 0x40;
  const extensions = [
    extension('2.5.29.19', der.sequence(...(authority ? [der.yes()] : []))),
    ...(names === undefined ? [] : [extension('2.5.29.17', der.sequence(...names.map(generalName)))]),
  ];
  const body = der.sequence(
    der.tagged(0, true, der.integer(Buffer.from([2]))),
    der.integer(serial),
    algorithm,
    named(issuer?.subject ?? subject),
    der.sequence(der.time(from), der.time(to)),
    named(subject),
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der.tagged(3, true, der.sequence(...extensions)),
  );
  const certificate = der.sequence(body, algorithm, der.bits(sign('sha256', body, signer)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    key,
    subject,
  };
}

function named(text: string): Buffer {
  return der.sequence(der.set(der.sequence(der.objectId('2.5.4.3'), der.utf8(text))));
}

function extension(id: string, content: Uint8Array): Buffer {
  return der.sequence(der.objectId(id), der.octets(content));
}

function generalName(name: string): Buffer {
  if (isIP(name) !== 0) return der.tagged(7, false, Buffer.from(ipaddr.parse(name).toByteArray()));
  return der.tagged(2, false, Buffer.from(name, 'ascii'));
}
