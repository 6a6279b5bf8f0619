import { GrammarFault } from './fault.ts';

/**
 * Twisted's endpoint strings, client (`tcp:host=…:port=…`) and server (`tcp:9989:interface=\:\:`), as plain data. `:` parts the
 * arguments, the first `=` of an argument its name from its value, and `\` takes the next character as it is. No bracket has a
 * meaning there.
 */
export interface TwistedEndpoint {
  /** The first part without a name: `tcp`, `tls`, `ssl`, `unix`, `systemd` … */
  kind: string;
  /** Every part has a name, so that none is the kind. */
  nameless?: true;
  arguments: TwistedArgument[];
}

export interface TwistedArgument {
  /** Undefined for an argument that is known by its place. */
  name?: string;
  value: string;
  /** Offset of the value (or of a name that has none) in the text, from 0. */
  at: number;
}

/** Throws GrammarFault for a `\` with nothing after it; every other text means something. */
export function parseTwisted(text: string): TwistedEndpoint {
  const parts: TwistedArgument[] = [];
  let name: string | undefined;
  let current = '';
  let at = 0;
  const finish = () => {
    parts.push(name === undefined ? { value: current, at } : { name, value: current, at });
    name = undefined;
  };
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '\\') {
      index += 1;
      if (index >= text.length) {
        throw new GrammarFault(index - 1, 'nothing follows the last \\', '\\\\ for one backslash');
      }
      current += text.charAt(index);
    } else if (character === ':') {
      finish();
      current = '';
      at = index + 1;
    } else if (character === '=' && name === undefined) {
      name = current;
      current = '';
      at = index + 1;
    } else {
      current += character;
    }
  }
  finish();
  // The kind is the first part without a name, wherever it stands (`port=9989:tcp`).
  const place = parts.findIndex((part) => part.name === undefined);
  const [first] = parts;
  // Without any, Twisted fails; the text of the first part is then no known kind.
  if (place === -1)
    return {
      kind: first === undefined ? '' : `${first.name}=${first.value}`,
      nameless: true,
      arguments: parts,
    };
  return { kind: parts[place]?.value ?? '', arguments: parts.toSpliced(place, 1) };
}

/** The value of a named argument, escaped as Twisted wants it: `::` becomes `\:\:`. */
export function escapeTwisted(value: string): string {
  return value.replace(/[\\:]/g, (character) => `\\${character}`);
}

/** An argument by its name, or else by its place among those without a name (from 0). */
export function twistedArgument(
  endpoint: TwistedEndpoint,
  name: string,
  place?: number,
): TwistedArgument | undefined {
  const named = endpoint.arguments.find((argument) => argument.name === name);
  if (named !== undefined || place === undefined) return named;
  return endpoint.arguments.filter((argument) => argument.name === undefined)[place];
}
