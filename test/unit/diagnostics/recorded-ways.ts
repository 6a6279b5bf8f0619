import type { WayProbes } from '../../../src/diagnostics/doors/way-probes.ts';
import type { TimeSyncFacts } from '../../../src/diagnostics/facts/clock.ts';
import type { CertificateFact, KeyFilesFacts, TlsAddressFact } from '../../../src/diagnostics/facts/tls.ts';
import type {
  FamilyWay,
  HolderFacts,
  ProxySetting,
  ProxySettingsFacts,
  WayFacts,
  WayFailure,
} from '../../../src/diagnostics/facts/ways.ts';

const AT = '2026-01-01T00:00:00.000Z';
export const NOW = Date.parse(AT);
const DAY_MS = 86_400_000;
export const days = (count: number) => NOW + count * DAY_MS;

export function certificate(more: Partial<CertificateFact> = {}): CertificateFact {
  return {
    subject: 'CN=ci.example',
    issuer: 'CN=test CA',
    names: 'DNS:ci.example',
    from: days(-100),
    to: days(200),
    fingerprint: 'AA:BB',
    selfSigned: false,
    ...more,
  };
}

/** A handshake that went well, with a certificate that is as it should be. */
export function secured(address: string, more: Partial<TlsAddressFact> = {}): TlsAddressFact {
  return {
    address,
    family: address.includes(':') ? 6 : 4,
    port: 9989,
    outcome: 'secured',
    code: null,
    firstBytes: '',
    speaks: null,
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    chain: [certificate()],
    pin: 'sha256:k',
    farm: false,
    distrust: null,
    added: null,
    fits: 'names',
    first: { kind: 'data', code: null },
    onlyVersion: null,
    refusesAlpn: false,
    clock: null,
    ms: 12,
    ...more,
  };
}

/** A handshake that did not come to its end. */
export function unsecured(
  address: string,
  outcome: TlsAddressFact['outcome'],
  more: Partial<TlsAddressFact> = {},
): TlsAddressFact {
  return secured(address, {
    outcome,
    version: null,
    cipher: null,
    chain: [],
    pin: null,
    fits: 'no',
    first: null,
    ...more,
  });
}

export function failedWay(more: Partial<WayFailure>): WayFacts {
  return {
    at: AT,
    ms: 3,
    steps: [{ what: `${more.hop ?? ''} to ci.example:9989`, got: more.problem ?? 'failed' }],
    failure: {
      kind: 'http',
      hop: 'http://proxy:3128',
      code: 'BBX-NET-PROXY',
      message: 'Cannot reach',
      hint: null,
      problem: null,
      reply: null,
      loginGiven: false,
      ...more,
    },
  };
}

export function proxySetting(more: Partial<ProxySetting> = {}): ProxySetting {
  return {
    source: 'environment',
    name: 'http_proxy',
    shown: 'http://proxy:3128',
    problem: null,
    host: 'proxy',
    port: 3128,
    ...more,
  };
}

export interface BetweenFacts {
  tls?: TlsAddressFact[];
  tlsName?: string;
  ca?: string;
  way?: WayFacts;
  familyWays?: FamilyWay[];
  holder?: HolderFacts;
  proxySettings?: Partial<ProxySettingsFacts>;
  timeSync?: Partial<TimeSyncFacts>;
  keyFiles?: KeyFilesFacts['files'];
}

/** Doors that answer as the case says. */
export function wayProbes({ between = {} }: { between?: BetweenFacts }): WayProbes {
  return {
    tls: async (target) => ({
      at: AT,
      now: NOW,
      name: between.tlsName ?? target.host,
      ca: between.ca ?? null,
      addresses: between.tls ?? [],
    }),
    way: async () => between.way ?? { at: AT, ms: 3, steps: [], failure: null },
    familyWays: async () => between.familyWays ?? [],
    holder: async () => between.holder,
    proxySettings: async () => ({
      at: AT,
      settings: [],
      exceptions: [],
      programs: [],
      ...between.proxySettings,
    }),
    timeSync: async () => ({
      at: AT,
      tool: 'timedatectl',
      said: 'NTPSynchronized=yes',
      synchronized: true,
      service: true,
      ...between.timeSync,
    }),
    keyFiles: async () => ({ at: AT, files: between.keyFiles ?? [] }),
  };
}
