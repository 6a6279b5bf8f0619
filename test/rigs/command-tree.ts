import type { Command, Option } from 'commander';
import { createProgram } from '../../src/commands/program.ts';
import { createContext } from '../../src/commands/terminal/context.ts';

const program = createProgram(createContext([]));

/** What a template fills in: a word, several, or none. */
export const FILLED = '\u0000';
/** How sentences about bbx and names of things go on; everything else that begins with bbx is a command. */
const NO_COMMANDS = new Set(['is', 'uses', 'farm', 'join', 'keeper']);

/** Words behind `bbx`, as a person would type them. */
export interface Mention {
  words: string;
  /** `code`: between quotes or backticks; `line`: it begins its line; `prose`: perhaps a sentence about bbx. */
  where: 'code' | 'line' | 'prose';
}

/** What is wrong with a command, or undefined. */
export function problemOf({ words, where }: Mention): string | undefined {
  const tokens = words.split(/\s+/).filter((token) => token !== '');
  const flags: Option[] = [...program.options];
  let command: Command = program;
  for (let sub = subOf(command, tokens[0]); sub !== undefined; sub = subOf(command, tokens[0])) {
    tokens.shift();
    flags.push(...sub.options);
    command = sub;
  }
  const [first = ''] = tokens;
  if (command.commands.length > 0 && /^[a-z][a-z-]*$/.test(first)) {
    const sentence = command === program && (where === 'prose' || NO_COMMANDS.has(first));
    return sentence ? undefined : `"${first}" is no command of "${command.name()}"`;
  }
  if (command === program && !first.startsWith('-')) return undefined;
  let places = command.registeredArguments.length;
  if (command.registeredArguments.at(-1)?.variadic) places = Number.POSITIVE_INFINITY;
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (token.includes(FILLED)) continue;
    const [name = '', inline] = token.split('=', 2);
    if (/^--?[a-z]/.test(name)) {
      const flag = flags.find(({ long, short }) => long === name || short === name);
      if (flag === undefined && name !== '--help') return `"${command.name()}" has no flag ${name}`;
      const value = inline ?? (flag?.required || flag?.optional ? tokens.shift() : undefined) ?? '';
      if (/^[a-z]+$/.test(value) && flag?.argChoices?.includes(value) === false)
        return `"${value}" is no choice of ${name}`;
      continue;
    }
    // A sentence goes on where a command would have its arguments.
    if (where !== 'code') return undefined;
    places -= 1;
    if (places < 0) return `"${token}" is one argument too many for "${command.name()}"`;
  }
  return undefined;
}

function subOf(command: Command, token: string | undefined): Command | undefined {
  return command.commands.find((sub) => sub.name() === token?.replaceAll(FILLED, ''));
}
