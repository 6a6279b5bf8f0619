import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { protocolCodes } from '../codes.ts';

/**
 * Both sides take this many bytes under this label from their TLS session (RFC 5705, RFC 8446 section 7.5), without a context:
 * `socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL)`. Over plain TCP the value is empty.
 */
export const EXPORTER_LABEL = 'EXPORTER-bbx-worker-v1';
/** As many as a SHA-256 has. */
export const EXPORTER_BYTES = 32;

/** A private key that can sign, with what others know of it. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  /** SPKI, DER. */
  readonly publicKey: Uint8Array;
  /** `sha256:<base64url>` of the SPKI: a pin, and what people compare. */
  readonly fingerprint: string;
}

/** `sha256:` and 43 characters of base64url: the SHA-256 of a public key's SPKI. */
export function fingerprintOf(spki: Uint8Array): string {
  return `sha256:${createHash('sha256').update(spki).digest('base64url')}`;
}

/**
 * A new worker key, Ed25519: it stands in no certificate, so nothing limits the choice, and its signatures need no random numbers (a
 * cloned image with a worn-out generator leaks nothing). The PEM (PKCS #8) goes into a file of mode 0600.
 */
export function createWorkerKey(): { pem: string; key: SigningKey } {
  const { privateKey } = generateKeyPairSync('ed25519');
  return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, key: signingKey(privateKey) };
}

/** Reads a worker's (Ed25519) or a farm's (P-256) private key; `what` names the file in errors. Throws BBX-PRO-KEY. */
export function readSigningKey(pem: string, what: string): SigningKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (cause) {
    throw protocolCodes['BBX-PRO-KEY']({ what, state: 'not a private key in PEM' }, { cause });
  }
  const state = unfit(privateKey);
  if (state !== undefined) throw protocolCodes['BBX-PRO-KEY']({ what, state });
  return signingKey(privateKey);
}

function signingKey(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { privateKey, publicKey, fingerprint: fingerprintOf(publicKey) };
}

/** What a greeting's signature covers: who asks, in which TLS session, and which life of the farm's store answers. */
export interface GreetingBinding {
  nonce: Uint8Array;
  challenge: Uint8Array;
  exporter: Uint8Array;
  epoch: string;
}

/** Signs a greeting with the key of the farm; base64. */
export function signGreeting(key: SigningKey, binding: GreetingBinding): string {
  return sign(key, greetingBytes(binding));
}

/** Whether a greeting was signed with this key (SPKI, DER) for this session; false for anything malformed. */
export function verifyGreeting(publicKey: Uint8Array, binding: GreetingBinding, signature: string): boolean {
  return verify(publicKey, greetingBytes(binding), signature);
}

/** What a worker's signature covers: this TLS session, this greeting, and the name that it claims. */
export interface AuthenticationBinding {
  nonce: Uint8Array;
  challenge: Uint8Array;
  exporter: Uint8Array;
  name: string;
  boot: string;
}

/** Signs with the worker's key; base64. */
export function signAuthentication(key: SigningKey, binding: AuthenticationBinding): string {
  return sign(key, authenticationBytes(binding));
}

/** Whether a worker holds this key (SPKI, DER), shown for this session; false for anything malformed. */
export function verifyAuthentication(
  publicKey: Uint8Array,
  binding: AuthenticationBinding,
  signature: string,
): boolean {
  return verify(publicKey, authenticationBytes(binding), signature);
}

function greetingBytes({ nonce, challenge, exporter, epoch }: GreetingBinding): Uint8Array {
  return bind('bbx.worker.v1 greeting', nonce, challenge, exporter, epoch);
}

function authenticationBytes(binding: AuthenticationBinding): Uint8Array {
  const { nonce, challenge, exporter, name, boot } = binding;
  return bind('bbx.worker.v1 authentication', nonce, challenge, exporter, name, boot);
}

/** Each part after its length (u32, big-endian): no two lists of parts give the same bytes. */
function bind(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function sign(key: SigningKey, bytes: Uint8Array): string {
  return signBytes(digestOf(key.privateKey), bytes, key.privateKey).toString('base64');
}

/** False for every kind of wrong: an unreadable key, another kind of key (an RSA key of a stranger could be made slow), a wrong signature. */
function verify(publicKey: Uint8Array, bytes: Uint8Array, signature: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), type: 'spki', format: 'der' });
    if (unfit(key) !== undefined) return false;
    return verifyBytes(digestOf(key), bytes, key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

function unfit(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType === 'ed25519') return undefined;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return undefined;
  return `its kind is ${key.asymmetricKeyType ?? 'unknown'}${curve === undefined ? '' : ` ${curve}`}, bbx uses Ed25519 and P-256`;
}

/** Ed25519 hashes by itself; ECDSA over P-256 goes with SHA-256. */
function digestOf(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
}
