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
