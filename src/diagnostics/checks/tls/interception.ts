import { defineCheck, found, nothing, skip, type Draft } from '../../check.ts';
import { pasted } from '../../evidence.ts';
import { certificateEvidence, gather, judged, topics, where, type Looked } from './question.ts';
import type { CertificateFact, TlsAddressFact, TlsFacts } from '../../facts/tls.ts';
import type { TargetSubject } from '../../subject.ts';

export const tls10 = defineCheck<'target', Looked>({
  id: 'TLS-10',
  title: 'nobody looks into TLS on the way',
  about: 'target',
  topics,
  needs: ['PTH-01', 'TLS-06', 'TLS-08', 'TLS-01'],
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    const { facts } = looked;
    if (facts.ca !== null) return skip('a file of authorities is named, which TLS-02 goes by');
    const drafts = judged(facts, target).flatMap((one) => draftFor(one, facts, target) ?? []);
    return drafts.length === 0 ? nothing : found(drafts[0]!);
  },
});

/** What they sign with names their makers; a server of the internet has a certificate of nobody in this list. */
const LOOKS_INSIDE =
  /\b(forti(gate|net)|zscaler|netskope|blue ?coat|palo ?alto networks|sophos|kaspersky|avast|avg technologies|eset ssl filter|bitdefender|cisco umbrella|check ?point|forcepoint|websense|watchguard|sonicwall|barracuda|mcafee web gateway|skyhigh|iboss|untangle|squid|mitmproxy|charles proxy|fiddler|portswigger|adguard|gateway ca - cloudflare)\b/i;

function draftFor(one: TlsAddressFact, facts: TlsFacts, target: TargetSubject): Draft | undefined {
  const { added, distrust, chain } = one;
  const evidence = certificateEvidence(one, facts);
  const signer = chain.map(signerOf).find((text) => LOOKS_INSIDE.test(text));
  // Whoever is in Node's own list signs for anybody, whatever his name.
  if (signer !== undefined && (added !== null || isUnknown(distrust)))
    return {
      status: 'warn',
      title: `The certificate of ${where(one)} was made on the way, by "${signer}": something there looks into TLS`,
      confidence: 'likely',
      evidence,
      fix: [
        {
          text: `Have connections to ${target.text} left as they are (an exception in that product), or have every program trust its authority; keys that are pinned, as of bbx's own links, never go through it`,
          commands: ['export NODE_EXTRA_CA_CERTS=FILE'],
        },
      ],
    };
  if (added === null) return undefined;
  const authority = `"${added.subject}", which Node's own list of authorities does not have`;
  if (added.from === 'trusted')
    return {
      status: 'info',
      title: `${where(one)} is trusted for ${authority}: somebody told this process to trust it`,
      evidence,
    };
  return {
    status: 'warn',
    title: `The certificate of ${where(one)} is signed by ${authority}, but this system's has: programs of Node refuse it, most others do not`,
    evidence,
    fix: [
      {
        text: 'Let programs of Node trust what the system trusts',
        commands: ['export NODE_OPTIONS=--use-system-ca'],
      },
      {
        text: "If nobody of yours made that authority, something between looks into TLS: compare the certificate's fingerprint with one that is seen from another network",
        commands: [
          `openssl s_client -connect ${where(one)} -servername ${pasted(facts.name)} < /dev/null | openssl x509 -noout -fingerprint -sha256`,
        ],
      },
    ],
  };
}

function isUnknown(distrust: string | null): boolean {
  return distrust !== null && !distrust.startsWith('CERT_');
}

function signerOf({ issuer }: CertificateFact): string {
  return issuer;
}
