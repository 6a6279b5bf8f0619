import type { TwistedArgument, TwistedEndpoint } from './twisted.ts';

/** Why Twisted does not take a text: the class of Python's exception, as a traceback names it, and our words. */
export class TwistedRefusal extends Error {
  readonly error: PythonError;
  /** Offset in the endpoint's text, from 0. */
  readonly at: number;

  constructor(error: PythonError, problem: string, at: number) {
    super(problem);
    this.error = error;
    this.at = at;
  }
}

export type PythonError =
  'AttributeError' | 'TypeError' | 'ValueError' | 'IndexError' | 'RuntimeError' | 'IDNAError';

/** Values by the parameter that they went to. */
export type Bound = ReadonlyMap<string, TwistedArgument>;

/**
 * Hands an endpoint's arguments over as Python hands them to a function: those without a name go by their place, each parameter takes
 * one value. `own` are parameters that the caller fills itself, so that a text may not. Throws TwistedRefusal.
 */
export function bindArguments(
  endpoint: TwistedEndpoint,
  parameters: readonly string[],
  required: number,
  own: readonly string[] = [],
): Bound {
  const bound = new Map<string, TwistedArgument>();
  const unnamed = endpoint.arguments.filter(({ name }) => name === undefined);
  for (const [place, argument] of unnamed.entries()) {
    const parameter = parameters[place];
    if (parameter === undefined)
      throw new TwistedRefusal(
        'TypeError',
        `${JSON.stringify(argument.value)} is one part too many`,
        argument.at,
      );
    bound.set(parameter, argument);
  }
  for (const argument of named(endpoint)) {
    const name = argument.name ?? '';
    const taken = bound.get(name);
    if (own.includes(name) || (taken !== undefined && taken.name === undefined))
      throw new TwistedRefusal('TypeError', takenTwice(name, taken), argument.at);
    if (!parameters.includes(name))
      throw new TwistedRefusal('TypeError', `"${name}" is no argument of ${endpoint.kind}:`, argument.at);
    bound.set(name, argument);
  }
  const missing = parameters.slice(0, required).find((parameter) => !bound.has(parameter));
  if (missing !== undefined) throw new TwistedRefusal('TypeError', `"${missing}" is missing`, 0);
  return bound;
}

/** Arguments with a name; of two with one name the later counts. */
export function named(endpoint: TwistedEndpoint): TwistedArgument[] {
  const byName = new Map(
    endpoint.arguments
      .filter(({ name }) => name !== undefined)
      .map((argument) => [argument.name, argument] as const),
  );
  return [...byName.values()];
}

function takenTwice(name: string, other: TwistedArgument | undefined): string {
  return other === undefined
    ? `"${name}" is none that a text may give`
    : `"${name}" is given twice: by its name, and by the part ${JSON.stringify(other.value)}, which stands there because every ":" parts the text`;
}

/** Python's whitespace around a number, and `_` between its digits. */
const PYTHON_INT = /^[\s\x1c-\x1f\x85]*([+-]?)(\p{Nd}(?:_?\p{Nd})*)[\s\x1c-\x1f\x85]*$/u;
/** Python 3.11 refuses longer ones. */
const INT_DIGITS = 4_300;

/** A number as Python's `int()` reads it. Throws TwistedRefusal. */
export function pythonInt(argument: TwistedArgument, what: string): number {
  const [, sign, digits = ''] = PYTHON_INT.exec(argument.value) ?? [];
  const plain = digits.replaceAll('_', '');
  if (sign === undefined || plain.length > INT_DIGITS || argument.value.includes('\ufeff'))
    throw new TwistedRefusal(
      'ValueError',
      `${what} must be a number, not ${JSON.stringify(argument.value)}`,
      argument.at,
    );
  // Digits of other scripts count in Python; which one it is does not matter to us beyond that it is one.
  const number = /^\d+$/.test(plain) ? Number(plain) : Number.NaN;
  return sign === '-' ? -number : number;
}

/** As `pythonInt`, where the argument may be left out. */
export function optionalInt(argument: TwistedArgument | undefined, what: string): number | undefined {
  return argument === undefined ? undefined : pythonInt(argument, what);
}
