import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';

/** An authority that stands behind a certificate, and is not one of those that Node brings along (Mozilla's). */
export interface AddedAuthority {
  readonly subject: string;
  /** `trusted`: this process was told to trust it; `system`: the system's list has it, this process does not look there. */
  readonly from: 'trusted' | 'system';
}

/**
 * Finds out whether a chain is signed by an authority that somebody added to this machine: of a chain that is trusted, one that Node has from
 * NODE_EXTRA_CA_CERTS or the like; of one that is not, one of the system's own list. null for neither. Reading the system's list takes
 * some tenths of a second, so it is only read for a chain that is not trusted.
 */
export function addedAuthority(
  chain: readonly X509Certificate[],
  { trusted }: { trusted: boolean },
): AddedAuthority | null {
  const last = chain.at(-1);
  if (last === undefined) return null;
  const own = getCACertificates('bundled');
  const added = getCACertificates(trusted ? 'default' : 'system');
  const known = new Set(own);
  const one = authoritiesIn(added.filter((pem) => !known.has(pem))).find((each) => signs(each, last));
  // The same key may have another certificate there, as an authority that was renewed has.
  if (one === undefined || authoritiesIn(own).some((each) => signs(each, last))) return null;
  return { subject: one.subject.replaceAll('\n', ', '), from: trusted ? 'trusted' : 'system' };
}

/**
 * OpenSSL's verdict on a chain, with the system's own authorities trusted beside those of this process, as browsers, git and curl do, and Python as far as
 * it asks OpenSSL (requests brings a list of its own): null where one of them signed it. `added` is the authority behind it that Node's list does not have.
 */
export function verdictWithSystem(
  chain: readonly X509Certificate[],
  distrust: string | null,
): { readonly distrust: string | null; readonly added: AddedAuthority | null } {
  const added = addedAuthority(chain, { trusted: distrust === null });
  // What is over, or withdrawn, is so whoever signed it.
  const isSystems = added?.from === 'system' && distrust?.startsWith('CERT_') === false;
  return { distrust: isSystems ? null : distrust, added };
}

function signs(authority: X509Certificate, last: X509Certificate): boolean {
  if (authority.fingerprint256 === last.fingerprint256) return true;
  return last.checkIssued(authority) && last.verify(authority.publicKey);
}

/** Those that can be read: a system's list may hold what OpenSSL takes and Node does not. */
function authoritiesIn(pems: readonly string[]): X509Certificate[] {
  return pems.flatMap((pem) => {
    try {
      return [new X509Certificate(pem)];
    } catch {
      return [];
    }
  });
}
