import { dirFlag } from '../../evidence.ts';
import type { ListenerSubject } from '../../subject.ts';

/** The command that lets the listener's own master listen at `address` (one alone); none for a listener that bbx does not configure. */
export function setListen({ dir, plane }: ListenerSubject, address: string): string[] {
  if (dir === undefined) return [];
  return [`bbx config set listen.${plane === 'web' ? 'web' : 'workers'} '${address}'${dirFlag(dir)}`];
}

/** The command that makes the configuration of the listener's master count; none where bbx does not configure it. */
export function applyConfig({ dir }: ListenerSubject): string[] {
  return dir === undefined ? [] : [`bbx config apply${dirFlag(dir)}`];
}
