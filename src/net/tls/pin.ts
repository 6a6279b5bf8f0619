import { createHash, createPublicKey, KeyObject, X509Certificate } from 'node:crypto';

/**
 * The pin of a key: `sha256:` and the base64url of the SHA-256 of its SubjectPublicKeyInfo. It outlives a renewed certificate.
 * Takes a certificate, a public or private key, or the PEM of one.
 */
export function pinOf(source: X509Certificate | KeyObject | string): string {
  const spki = publicKeyOf(source).export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('base64url')}`;
}

function publicKeyOf(source: X509Certificate | KeyObject | string): KeyObject {
  if (source instanceof X509Certificate) return source.publicKey;
  if (source instanceof KeyObject) return source.type === 'public' ? source : createPublicKey(source);
  return source.includes('-----BEGIN CERTIFICATE-----')
    ? new X509Certificate(source).publicKey
    : createPublicKey(source);
}

/** Whether the text has the form of a pin: 32 bytes in base64url, without padding. */
export function isPin(text: string): boolean {
  // 43 characters hold 258 bits: the last one has two bits that must be zero, or two texts would be one pin.
  return /^sha256:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text);
}
