import type { Family } from '../intent.ts';
import type { AddedAuthority } from '../../net/tls/authorities.ts';
import type { Spoken } from '../../net/first-bytes.ts';
import type { ClockFact } from './clock.ts';

/** A certificate of a chain, as it was shown. */
export interface CertificateFact {
  readonly subject: string;
  readonly issuer: string;
  /** subjectAltName as OpenSSL prints it; null: there is none. */
  readonly names: string | null;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly fingerprint: string;
  readonly selfSigned: boolean;
}

/** One address, looked at by a handshake of its own. */
export interface TlsAddressFact {
  readonly address: string;
  readonly family: Family;
  readonly port: number;
  readonly outcome: 'secured' | 'refused' | 'plain' | 'closed' | 'silent' | 'unreachable';
  readonly code: string | null;
  readonly firstBytes: string;
  readonly speaks: Spoken | null;
  readonly version: string | null;
  readonly cipher: string | null;
  /** As it was sent, the server's own first. */
  readonly chain: readonly CertificateFact[];
  /** Key of the first certificate. */
  readonly pin: string | null;
  /** It is the certificate that a bbx master makes for itself. */
  readonly farm: boolean;
  /** OpenSSL's verdict on the chain; null: trusted. */
  readonly distrust: string | null;
  /** An authority behind it that Node's own list does not have: told to this process, or known to the system alone. */
  readonly added: AddedAuthority | null;
  /** The certificate is for the name: by subjectAltName, by common name alone, or not. */
  readonly fits: 'names' | 'common name' | 'no';
  readonly first: {
    readonly kind: 'data' | 'alert' | 'closed' | 'quiet';
    readonly code: string | null;
  } | null;
  /** Where the usual handshake failed: the version that the server does speak. */
  readonly onlyVersion: string | null;
  /** It refused those who offer `h2` and `http/1.1` by ALPN, and nobody else. */
  readonly refusesAlpn: boolean;
  readonly clock: ClockFact | null;
  readonly ms: number;
}

export interface TlsFacts {
  readonly at: string;
  /** Epoch ms, for dates of certificates. */
  readonly now: number;
  /** The name that was asked for. */
  readonly name: string;
  /** The file of authorities; null: the usual ones. */
  readonly ca: string | null;
  readonly addresses: readonly TlsAddressFact[];
}

/** A key or certificate file of a master. */
export interface KeyFilesFacts {
  readonly at: string;
  readonly files: readonly {
    readonly path: string;
    readonly shown: string;
    readonly what: 'key' | 'certificate';
    /** System code where it could not be read. */
    readonly errno: string | null;
    readonly mode: number | null;
    /** What is wrong with its content; null: it was read. */
    readonly problem: string | null;
    readonly pin: string | null;
  }[];
}
