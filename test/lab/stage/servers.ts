/** What stands on one host of a lab: `servers.ts FILE`, in its network. Says `ready` when all of it listens, and runs until it is killed. */
import { readFileSync } from 'node:fs';
import { certificateMaker } from './certificates.ts';
import { fillForEver, serve } from './listeners.ts';
import { serveNames } from './nameserver.ts';
import type { Listener, Nameserver } from './recipe.ts';

export interface Servers {
  readonly nameservers: readonly Nameserver[];
  readonly listeners: readonly Listener[];
  /** Where the authority's certificate is kept for who wants to trust it. */
  readonly caFile: string;
}

const [file = ''] = process.argv.slice(2);
const spec = JSON.parse(readFileSync(file, 'utf8')) as Servers;
// Made and kept by the stage, so that all hosts have the same authority.
const certificates = certificateMaker(readFileSync(spec.caFile, 'utf8'));

for (const { does } of spec.listeners)
  if (does !== undefined && 'as' in does && does.as !== undefined) process.title = does.as;
for (const nameserver of spec.nameservers) {
  for (const host of nameserver.at ?? []) await serveNames(host, nameserver);
}
for (const listener of spec.listeners) await serve(listener, certificates);
process.stdout.write('ready\n');

const full = spec.listeners.find(({ does }) => does !== undefined && 'full' in does);
// Printed words must have left before this program stands still.
if (full !== undefined) setImmediate(() => fillForEver(full.host, full.port));
