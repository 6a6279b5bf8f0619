import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import * as der from '../../../src/net/tls/der.ts';

const DAY_MS = 86_400_000;
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** A certificate of a server, right unless it says otherwise. */
export interface CertificateOrder {
  /** DNS names and addresses of the subjectAltName; empty: there is none, only the common name. */
  readonly names: readonly string[];
  readonly commonName?: string;
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
  /** Who signs: the lab's authority, one that nobody knows, or an intermediate that is sent along or kept back. */
  readonly signedBy?: 'lab' | 'stranger' | 'itself' | 'intermediate' | 'intermediate-kept-back';
}

interface Authority {
  readonly name: string;
  readonly key: KeyObject;
  readonly pem: string;
}

/** Makes certificates of an authority of the lab's own. */
export interface CertificateMaker {
  /** What a `--ca` file holds. */
  readonly caPem: string;
  /** Key and chain, as `tls.createServer` wants them. */
  make(order: CertificateOrder): { key: string; cert: string };
}

const LAB = 'bbx lab authority';

/** A new authority: its certificate, and its key behind it, as PEM. */
export function newAuthority(): { pem: string; key: string } {
  const { pem, key } = authority(LAB);
  return { pem, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** `kept`: certificate and key of the authority, as one PEM. */
export function certificateMaker(kept: string): CertificateMaker {
  const pem = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n/.exec(kept)?.[0] ?? '';
  const lab: Authority = { name: LAB, key: createPrivateKey(kept.slice(pem.length)), pem };
  const stranger = authority('stranger');
  const intermediate = authority('bbx lab intermediate', lab);
  return {
    caPem: lab.pem,
    make(order) {
      const key = newKey();
      const by = order.signedBy ?? 'lab';
      const signers = {
        ...{ lab, stranger, intermediate, 'intermediate-kept-back': intermediate },
        itself: { name: order.commonName ?? order.names[0] ?? 'lab', key, pem: '' },
      };
      const cert = certificate({ order, key, signer: signers[by], isAuthority: false });
      return {
        key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
        cert: by === 'intermediate' ? cert + intermediate.pem : cert,
      };
    },
  };
}

function authority(name: string, signer?: Authority): Authority {
  const key = newKey();
  const order = { names: [], commonName: name };
  const pem = certificate({ order, key, signer: signer ?? { name, key, pem: '' }, isAuthority: true });
  return { name, key, pem };
}

function newKey(): KeyObject {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

function certificate(given: {
  order: CertificateOrder;
  key: KeyObject;
  signer: Authority;
  isAuthority: boolean;
}): string {
  const { order, key, signer, isAuthority } = given;
  const algorithm = der.sequence(der.objectId(ECDSA_WITH_SHA256));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const day = (days: number) => der.time(new Date(Date.now() + days * DAY_MS));
  const body = der.sequence(
    der.tagged(0, true, der.integer(Buffer.from([2]))),
    der.integer(serial),
    algorithm,
    nameOf(signer.name),
    der.sequence(day(order.from ?? -2), day(order.until ?? 365)),
    nameOf(order.commonName ?? order.names[0] ?? 'lab'),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    der.tagged(3, true, der.sequence(...extensions(order.names, isAuthority))),
  );
  const whole = der.sequence(body, algorithm, der.bits(sign('sha256', body, signer.key)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function nameOf(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.objectId('2.5.4.3'), der.utf8(commonName))));
}

function extensions(names: readonly string[], isAuthority: boolean): Buffer[] {
  const extension = (id: string, content: Uint8Array) => der.sequence(der.objectId(id), der.octets(content));
  const constraints = extension('2.5.29.19', isAuthority ? der.sequence(der.yes()) : der.sequence());
  if (names.length === 0) return [constraints];
  const alternatives = names.map((name) =>
    isIP(name) === 0
      ? der.tagged(2, false, Buffer.from(name, 'ascii'))
      : der.tagged(7, false, Buffer.from(ipaddr.parse(name).toByteArray())),
  );
  return [constraints, extension('2.5.29.17', der.sequence(...alternatives))];
}
