import { defineCheck, found, nothing, skip, type Draft } from '../../check.ts';
import type { TlsAddressFact, TlsFacts } from '../../facts/tls.ts';
import type { TargetSubject } from '../../subject.ts';
import { gather, tlsEvidence, topics, where, type Looked } from './question.ts';

export const tls08 = defineCheck<'target', Looked>({
  id: 'TLS-08',
  title: 'TLS versions, ciphers and ALPN in common',
  about: 'target',
  topics,
  needs: ['PTH-01', 'TLS-06'],
  causes: ['TLS-06'],
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    const { facts } = looked;
    const drafts = facts.addresses.flatMap((one) => judgeVersion(one, facts, target) ?? []);
    const [first] = drafts;
    return first === undefined ? nothing : found(first);
  },
});

/** OpenSSL's codes for "your version", its own and the peer's. */
const VERSION = /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|WRONG_SSL_VERSION|VERSION_TOO_LOW/;
const CIPHER = /NO_SHARED_CIPHER|HANDSHAKE_FAILURE|NO_CIPHERS|INSUFFICIENT_SECURITY/;

function judgeVersion(one: TlsAddressFact, facts: TlsFacts, target: TargetSubject): Draft | undefined {
  const code = one.code ?? '';
  const of = facts.addresses.length === 1 ? target.text : where(one);
  const draft = (status: Draft['status'], title: string, text: string): Draft => ({
    status,
    title,
    evidence: tlsEvidence(facts),
    fix: [{ text }],
  });
  if (one.outcome === 'refused' && (VERSION.test(code) || CIPHER.test(code) || one.onlyVersion !== null)) {
    const old = one.onlyVersion;
    return draft(
      'error',
      old === null
        ? `${of} has no TLS ${VERSION.test(code) ? 'version' : 'version or cipher'} in common with this host (${code})`
        : VERSION.test(code) || /1\.[01]$/.test(old)
          ? `${of} speaks ${old} and nothing newer, which programs of today refuse`
          : `${of} has only ciphers that programs of today refuse`,
      'Update the server, or let it offer TLS 1.2 and 1.3 with usual ciphers',
    );
  }
  if (one.outcome === 'secured' && target.protocol === 'bbx' && one.version !== 'TLSv1.3') {
    return draft(
      'error',
      `${of} speaks ${one.version ?? 'an old TLS'}: bbx needs TLS 1.3, so something stands between or no bbx master answers`,
      'Take the program that ends TLS out of the way: bbx workers speak to the master itself',
    );
  }
  if (one.refusesAlpn) {
    return draft(
      target.protocol === 'http' ? 'error' : 'warn',
      `${of} refuses clients that offer HTTP by ALPN (h2, http/1.1), as browsers, curl and git do`,
      'Let the server choose http/1.1, or none, when a client offers application protocols (ALPN)',
    );
  }
  return undefined;
}
