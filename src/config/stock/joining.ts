import type { PyString, PyValue } from './values.ts';

/** Longer than any that a person wrote: copying such ones again and again would take time without end. */
export const MOST_ITEMS = 10_000;
export const MOST_PIECES = 200;

/** `left + right`; undefined where that is no literal. */
export function add(left: PyValue, right: PyValue): PyValue | undefined {
  if (left.kind === 'string' && right.kind === 'string')
    return left.literals + right.literals > MOST_PIECES ? undefined : joined(left, right);
  if (left.kind === 'list' && right.kind === 'list' && left.items.length + right.items.length > MOST_ITEMS)
    return { ...left, open: true };
  if (left.kind === 'list' && right.kind === 'list')
    return {
      kind: 'list',
      items: [...left.items, ...right.items],
      open: left.open || right.open,
      from: left.from,
      to: right.to,
    };
  if (left.kind === 'list') return { ...left, open: true };
  return right.kind === 'list' ? { ...right, open: true } : undefined;
}

/** Two texts as one. */
export function joined(left: PyString, right: PyString): PyString {
  return {
    ...left,
    value: left.value + right.value,
    at: [...left.at.slice(0, -1), ...right.at],
    odd: [...left.odd, ...right.odd],
    literals: left.literals + right.literals,
    to: right.to,
  };
}
