import type { NameFacts } from '../../../src/diagnostics/facts/names.ts';
import { address, type Case, host, name, program, reply, target, tried } from './recorded.ts';

/** One target with both families, and what most cases say of it. */
export const V4 = '11.0.5.10';
export const V6 = '2a00:2::10';
export const dual = name('ci.example', reply('answer', [V4]), reply('answer', [V6]));
export const v4only = name('ci.example', reply('answer', [V4]), reply('nodata'));
export const v6only = name('ci.example', reply('nodata'), reply('answer', [V6]));
export const open4 = tried(V4, 'connected');
export const open6 = tried(V6, 'connected');
export const subjects = [target()];
export const local = (errno: string) => tried(V6, errno, { local: true });
export const stranded = [{ target: V6, family: 6 as const, source: null, errno: 'ENETUNREACH' }];
export const reachable = { names: [dual], subjects, attempts: [open6, open4] };
export const noIpv4 = host({ addresses: [address('::1', { kind: 'loopback' }), address('2a00:1::2')] });

export function servers(
  ...replies: [server: string, a: ReturnType<typeof reply>, aaaa: ReturnType<typeof reply>][]
) {
  return replies.map(([server, A, AAAA]) => ({ server, A, AAAA }));
}

export function named(more: Partial<NameFacts>): Case {
  return { ...reachable, names: [{ ...dual, ...more }] };
}

export const unit = (properties: Record<string, string>) => ({
  state: 'known' as const,
  unit: 'bbx-master.service',
  properties: {
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    UnitFileState: 'enabled',
    NRestarts: '0',
    Result: 'success',
    PrivateNetwork: 'no',
    After: 'network-online.target basic.target',
    ...properties,
  },
  owner: 998,
  runner: { name: 'bbx', uid: 998 },
});

export const inUnit = (properties: Record<string, string>, more: Partial<Case> = {}): Case => ({
  subjects: [program({ role: 'master' })],
  ...more,
  system: { service: unit(properties) },
});

/** A fault, the root findings that it must give at warn or error (first, and nothing but them), and whether it fails the run. */
export type Fault = [title: string, given: Case, roots: string[], verdict: 'error' | 'warn'];
