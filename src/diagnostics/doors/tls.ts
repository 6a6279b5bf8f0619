import type { X509Certificate } from 'node:crypto';
import { createPrivateKey, X509Certificate as Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../base/error.ts';
import { masterLayout } from '../../config/layout.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import { guessSpoken, httpDate } from '../../net/first-bytes.ts';
import { addedAuthority } from '../../net/tls/authorities.ts';
import { FARM_NAME } from '../../net/tls/certificate.ts';
import { inspectTls, type InspectOptions, type TlsInspection } from '../../net/tls/inspect.ts';
import { pinOf } from '../../net/tls/pin.ts';
import { clockOf } from '../facts/clock.ts';
import type { CertificateFact, KeyFilesFacts, TlsAddressFact } from '../facts/tls.ts';
import type { ProgramSubject, TargetSubject } from '../subject.ts';

/** What an HTTP client of today offers. */
const HTTP_ALPN = ['h2', 'http/1.1'];
const DATE_ROUND_MS = 1_000;

/** The name that a certificate must be for. */
export function nameWanted(target: TargetSubject): string {
  return (target.tls?.name ?? target.host).split('%')[0]?.replace(/\.$/, '') ?? target.host;
}

/** Looks at TLS on one address: as any client, then as the clients that fare differently. */
export async function readTls(
  target: TargetSubject,
  address: string,
  options: { limitMs: number; signal: AbortSignal },
): Promise<TlsAddressFact> {
  const port = target.port ?? 0;
  const name = nameWanted(target);
  const base: InspectOptions = {
    ...options,
    servername: name,
    speak: question(target),
    ...(target.tls?.ca === undefined ? {} : { ca: target.tls.ca.pem }),
  };
  const seen = await inspectTls(address, port, base);
  const old =
    seen.outcome === 'refused' ? await inspectTls(address, port, { ...base, lenient: true }) : undefined;
  const http =
    seen.outcome === 'secured' && target.protocol !== 'bbx'
      ? await inspectTls(address, port, { ...base, alpn: HTTP_ALPN, handshakeOnly: true })
      : undefined;
  return {
    address,
    port,
    family: familyOf(address) === 6 ? 6 : 4,
    ...shown(seen, name, target.tls?.ca !== undefined),
    onlyVersion: old?.outcome === 'secured' ? old.version : null,
    refusesAlpn: http?.outcome === 'refused' && (http.code ?? '').includes('NO_APPLICATION_PROTOCOL'),
  };
}

/** What makes a web server, a bbx master and most others say something. */
function question({ host, port }: TargetSubject): string {
  const where = printHostPort(host.split('%')[0] ?? host, port ?? 0);
  return `GET / HTTP/1.1\r\nHost: ${where}\r\nConnection: close\r\nUser-Agent: bbx-doctor\r\n\r\n`;
}

function shown(
  seen: TlsInspection,
  name: string,
  hasFile: boolean,
): Omit<TlsAddressFact, 'address' | 'port' | 'family' | 'onlyVersion' | 'refusesAlpn'> {
  const [own] = seen.chain;
  // Known by its key, whoever signed it.
  const farm = own?.subjectAltName?.includes(FARM_NAME) === true;
  const date = seen.first?.kind === 'data' ? httpDate(seen.first.bytes.toString('latin1')) : null;
  return {
    outcome: seen.outcome,
    code: seen.code,
    firstBytes: seen.outcome === 'secured' ? '' : seen.firstBytes.toString('hex'),
    speaks: seen.outcome === 'plain' ? guessSpoken(seen.firstBytes) : null,
    version: seen.version,
    cipher: seen.cipher,
    chain: seen.chain.map(certificateFact),
    pin: own === undefined ? null : pinOf(own),
    farm,
    distrust: seen.distrust,
    added: hasFile || farm ? null : addedAuthority(seen.chain, { trusted: seen.distrust === null }),
    fits: own === undefined ? 'no' : fitOf(own, name),
    first: seen.first === null ? null : { kind: seen.first.kind, code: seen.first.code },
    clock:
      date === null || seen.first === null
        ? null
        : clockOf(seen.first.askedAt, seen.first.answeredAt, date, 'Date', DATE_ROUND_MS),
    ms: seen.ms,
  };
}

/** A certificate as it is told. */
export function certificateFact(certificate: X509Certificate): CertificateFact {
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    names: certificate.subjectAltName ?? null,
    from: Date.parse(certificate.validFrom),
    to: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256,
    selfSigned: certificate.subject === certificate.issuer,
  };
}

/** Whether a certificate is for a name or address. */
export function fitOf(certificate: X509Certificate, name: string): TlsAddressFact['fits'] {
  if (familyOf(name) !== 0) return certificate.checkIP(name) === undefined ? 'no' : 'names';
  if (certificate.checkHost(name, { subject: 'never' }) !== undefined) return 'names';
  // With any subjectAltName the common name counts for nobody.
  if (certificate.subjectAltName !== undefined) return 'no';
  return certificate.checkHost(name, { subject: 'always' }) === undefined ? 'no' : 'common name';
}

/** The key and certificate of a master's directory. */
export async function readKeyFiles({ dir, shown: near }: ProgramSubject): Promise<KeyFilesFacts> {
  const layout = masterLayout(dir);
  const read = async (path: string, what: 'key' | 'certificate') => {
    const base = { path, shown: join(near, path.slice(dir.length + 1)), what };
    try {
      const [{ mode }, pem] = await Promise.all([stat(path), readFile(path, 'utf8')]);
      const file = { ...base, errno: null, mode: mode & 0o777 };
      try {
        const pin = what === 'key' ? pinOf(createPrivateKey(pem)) : pinOf(new Certificate(pem));
        return { ...file, problem: null, pin };
      } catch {
        return { ...file, problem: `it holds no ${what} in PEM`, pin: null };
      }
    } catch (error) {
      return { ...base, errno: errnoOf(error) ?? 'unknown', mode: null, problem: null, pin: null };
    }
  };
  return {
    at: new Date().toISOString(),
    files: await Promise.all([read(layout.key, 'key'), read(layout.certificate, 'certificate')]),
  };
}
