import { BbxError } from '../../base/error.ts';
import { parseAddress, type Address } from '../../net/endpoint/address.ts';
import type { TargetProtocol } from '../subject.ts';

/** Ports by the scheme of a repository's URL. */
const PORTS: Readonly<Record<string, number>> = { https: 443, http: 80, ssh: 22, git: 9418, 'git+ssh': 22 };

export interface Place {
  address: Address;
  protocol: TargetProtocol;
}

/** Where a target stands: a bbx address, or the host and port of a URL. Undefined for what is on this host's disk. */
export function placeOf(target: string): Place | undefined {
  const url = /^([a-z][a-z0-9+]*):\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^/:]*)(?::(\d+))?/i.exec(target);
  const port = url === null ? undefined : PORTS[url[1]?.toLowerCase() ?? ''];
  // git's own short form, me@host:path.
  const short = /^[^\s/:@]+@(\[[^\]]*\]|[^\s/:]+):(?!\/\/)/.exec(target);
  try {
    if (url !== null && port !== undefined)
      return { address: parseAddress(`${url[2] ?? ''}:${url[3] ?? port}`), protocol: 'tcp' };
    if (short !== null) return { address: parseAddress(`${short[1] ?? ''}:22`), protocol: 'tcp' };
    if (url === null && /^[./~]/.test(target)) return undefined;
    const address = parseAddress(target);
    return address.kind === 'tcp' ? { address, protocol: 'bbx' } : undefined;
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    return undefined;
  }
}
