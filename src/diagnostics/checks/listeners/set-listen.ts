import { dirFlag, pasted } from '../../evidence.ts';
import type { ListenerSubject } from '../../subject.ts';

/** The command that lets the listener's own master listen at `address` instead of there, and at its other addresses as before; none for a listener that bbx does not configure. */
export function setListen({ dir, plane, text, listed = [text] }: ListenerSubject, address: string): string[] {
  if (dir === undefined) return [];
  const [port] = /:\d+$/.exec(address) ?? [''];
  // On the same port every address takes in the others.
  const isWithin = (other: string) =>
    address === `[::]${port}` && other.endsWith(port) && !other.startsWith('unix:');
  const all = [...new Set(listed.map((other) => (other === text || isWithin(other) ? address : other)))];
  const value = all.length === 1 ? `'${address}'` : pasted(JSON.stringify(all));
  return [`bbx config set listen.${plane === 'web' ? 'web' : 'workers'} ${value}${dirFlag(dir)}`];
}

/** The command that makes the configuration of the listener's master count; none where bbx does not configure it. */
export function applyConfig({ dir }: ListenerSubject): string[] {
  return dir === undefined ? [] : [`bbx config apply${dirFlag(dir)}`];
}
