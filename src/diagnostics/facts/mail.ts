import type { SmtpGreeting } from '../../net/smtp.ts';
import type { AddedAuthority } from '../../net/tls/authorities.ts';
import type { Family } from '../intent.ts';
import type { CertificateFact } from './tls.ts';

/** One address of a mail server, greeted and let go. */
export interface MailFact {
  readonly address: string;
  readonly family: Family;
  /** What it said; null: no connection came up. */
  readonly greeting: SmtpGreeting | null;
  /** TLS, where it was asked for: from the first byte, or after STARTTLS. */
  readonly tls: {
    readonly outcome: 'secured' | 'refused' | 'plain' | 'closed' | 'silent' | 'unreachable' | 'not offered';
    readonly code: string | null;
    readonly version: string | null;
    readonly chain: readonly CertificateFact[];
    /** OpenSSL's verdict on the chain; null: trusted, by this process or the system. */
    readonly distrust: string | null;
    /** Its first certificate is for the host that was asked for. */
    readonly fits: boolean;
    /** What EHLO gives inside TLS; null: it was not asked there. */
    readonly extensions: readonly string[] | null;
  } | null;
}

export interface MailFacts {
  readonly at: string;
  readonly addresses: readonly MailFact[];
}

/** One address of a web service, asked with HEAD. */
export interface StatusFact {
  readonly address: string;
  readonly family: Family;
  /** The status line's number; null: none came. */
  readonly status: number | null;
  /** OpenSSL's verdict on the certificate, or that it is for another name; null: trusted, by this process or the system, or plain HTTP. */
  readonly distrust: string | null;
  /** Who signed the certificate, as it says; null: plain HTTP. */
  readonly issuer: string | null;
  /** The authority behind it that Node's own list does not have. */
  readonly added: AddedAuthority | null;
  readonly problem: string | null;
  readonly ms: number;
}

export interface StatusFacts {
  readonly at: string;
  readonly addresses: readonly StatusFact[];
}
