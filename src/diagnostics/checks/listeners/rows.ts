import { printHostPort } from '../../../net/endpoint/host.ts';
import { evidence } from '../../evidence.ts';
import type { ListenerFacts, ListenRow } from '../../facts/listeners.ts';

/** A listening socket and the program that holds it. */
function rowText(row: ListenRow): string {
  return `${printHostPort(row.address, row.port)}${row.owner === null ? '' : ` by ${row.owner}`}`;
}

/** What listens on the port, as the kernel lists it. */
export function rowsEvidence(facts: ListenerFacts, port: number) {
  const rows = facts.rows ?? [];
  return [
    evidence(
      'proc',
      `listeners on port ${port}`,
      rows.length === 0 ? 'none' : rows.map(rowText).join(', '),
      facts.at,
    ),
  ];
}
