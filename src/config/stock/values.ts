/** A piece of a Python file as far as it can be known without running it. Offsets are those of the source's text. */
export type PyValue = PyString | PyNumber | PyConstant | PyList | PyDict | PyCall | PyEither | PyUnknown;

interface Span {
  readonly from: number;
  readonly to: number;
}

export interface PyString extends Span {
  readonly kind: 'string';
  readonly value: string;
  /** Where each UTF-16 unit of `value` was written, and the end. */
  readonly at: readonly number[];
  readonly bytes: boolean;
  readonly odd: readonly { readonly at: number; readonly text: string }[];
  /** Literals that it is made of; one that stands alone can be written anew in its place. */
  readonly literals: number;
}

export interface PyNumber extends Span {
  readonly kind: 'number';
  readonly value: number;
}

export interface PyConstant extends Span {
  readonly kind: 'constant';
  /** `null` is None. */
  readonly value: boolean | null;
}

/** A list, tuple or set; `open` where more may stand in it than is known. */
export interface PyList extends Span {
  readonly kind: 'list';
  readonly items: PyValue[];
  open: boolean;
}

/** `open` where it may have more keys, or others, than are known. */
export interface PyDict extends Span {
  readonly kind: 'dict';
  readonly entries: Map<string | number, PyValue>;
  open: boolean;
}

export interface PyCall extends Span {
  readonly kind: 'call';
  /** `worker.Worker`. */
  readonly callee: string;
  readonly arguments: readonly PyValue[];
  readonly keywords: ReadonlyMap<string, PyValue>;
  /** `*args` or `**kwargs` bring what cannot be known. */
  readonly open: boolean;
}

/** One of several, by a condition; `maybeNone` where it may also not be set at all. */
export interface PyEither extends Span {
  readonly kind: 'either';
  readonly values: readonly PyValue[];
  readonly maybeUnset: boolean;
}

export interface PyUnknown extends Span {
  readonly kind: 'unknown';
  /** `os.environ.get(…) is known only when it runs`. */
  readonly why: string;
}

/** Everything that a value may be. */
export function alternatives(value: PyValue | undefined): readonly PyValue[] {
  if (value === undefined) return [];
  return value.kind === 'either' ? value.values.flatMap((one) => alternatives(one)) : [value];
}

/** The entry of a dict by its key, of whatever the value may be. */
export function entryOf(value: PyValue | undefined, key: string): PyValue | undefined {
  const found = alternatives(value).flatMap((one) =>
    one.kind === 'dict' ? alternatives(one.entries.get(key)) : [],
  );
  return oneOf(found, false);
}

/** Several possibilities as one value. */
export function oneOf(values: readonly PyValue[], maybeUnset: boolean): PyValue | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  if (values.length === 1 && !maybeUnset) return first;
  return { kind: 'either', values, maybeUnset, from: first.from, to: first.to };
}

/** An argument of a call, by its place or its name. */
export function argumentOf(call: PyCall, name: string, place?: number): PyValue | undefined {
  return call.keywords.get(name) ?? (place === undefined ? undefined : call.arguments[place]);
}

/** The last word of what is called: `Worker` of `worker.Worker`. */
export function calleeName(call: PyCall): string {
  return call.callee.split('.').at(-1) ?? '';
}

/** A plain text, undefined where it is none or more than one thing. */
export function textOf(value: PyValue | undefined): string | undefined {
  return value?.kind === 'string' ? value.value : undefined;
}
