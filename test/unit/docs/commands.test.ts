import type { Argument, Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/commands/program.ts';
import { createContext } from '../../../src/commands/terminal/context.ts';

const program = createProgram(createContext([]));

/** Every command that does something, with the words that call it. */
function leaves(command: Command, words: readonly string[] = []): { words: string; command: Command }[] {
  const path = [...words, command.name()];
  if (command.commands.length === 0) return [{ words: path.join(' '), command }];
  return command.commands.flatMap((child) => leaves(child, path));
}

/** How wide the pages of docs/ are. */
const PAGE_WIDTH = 160;

/** What `--help` prints after the flags. */
function after(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => PAGE_WIDTH });
  command.outputHelp();
  return text.slice(text.indexOf('\nExamples:\n') + '\nExamples:\n'.length);
}

function optionLine(option: Option): string {
  const facts = [
    option.argChoices === undefined
      ? undefined
      : `one of ${option.argChoices.map((c) => `\`${c}\``).join(', ')}`,
    option.mandatory ? 'needed' : undefined,
    option.defaultValue === undefined ||
    option.defaultValue === '' ||
    typeof option.defaultValue === 'boolean'
      ? undefined
      : `default \`${option.defaultValueDescription ?? String(option.defaultValue)}\``,
    option.envVar === undefined ? undefined : `environment: \`${option.envVar}\``,
  ].filter((fact) => fact !== undefined);
  return `- \`${option.flags}\`: ${option.description}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`;
}

function argumentLine(argument: Argument): string[] {
  return argument.description === '' ? [] : [`- \`${argument.name()}\`: ${argument.description}`];
}

function section({ words, command }: { words: string; command: Command }): string {
  const names = command.registeredArguments.map((argument) =>
    argument.required ? ` <${argument.name()}>` : ` [${argument.name()}${argument.variadic ? '...' : ''}]`,
  );
  const flags = [...command.registeredArguments.flatMap(argumentLine), ...command.options.map(optionLine)];
  const [examples = '', ...notes] = after(command).trim().split('\n\n');
  return [
    `## ${words}${names.join('')}`,
    command.description(),
    ...(flags.length === 0 ? [] : [flags.join('\n')]),
    `\`\`\`sh\n${examples.replaceAll(/^ {2}/gm, '').trim()}\n\`\`\``,
    ...notes,
  ].join('\n\n');
}

const INTRODUCTION = `# Commands

Every command with its flags, as \`bbx COMMAND --help\` prints them. Exit codes and the rules of output are in [cli.md](cli.md).

Everywhere:

${program.options.map(optionLine).join('\n')}
- \`-h, --help\`: ${'print help for a command'}
`;

describe('docs/commands.md', () => {
  const all = leaves(program);

  it.each(all.map(({ words, command }) => [words, command] as const))(
    '%s has a purpose, and examples on its help page that begin with bbx',
    (words, command) => {
      expect(command.description()).toMatch(/^[A-Z].*\.$/);
      const [examples = ''] = after(command).split('\n\n');
      for (const line of examples.trim().split('\n')) expect(line.trim()).toMatch(/bbx /);
      expect(examples).toContain(words.split(' ').slice(0, 2).join(' '));
    },
  );

  it('gives an environment name one meaning: the same kind of value, or none, wherever its flag is', () => {
    // A title and a worker's name, an address and its name: texts that differ by what the command makes, as their flags do.
    const alike: Record<string, string> = { title: 'name', url: 'name' };
    const kinds = new Map<string, Set<string>>();
    for (const { command } of all)
      for (const { envVar, flags } of command.options) {
        const kind = /[<[](.*)[>\]]/.exec(flags)?.[1] ?? 'none';
        if (envVar !== undefined)
          kinds.set(envVar, (kinds.get(envVar) ?? new Set()).add(alike[kind] ?? kind));
      }
    expect([...kinds].filter(([, of]) => of.size > 1)).toEqual([]);
  });

  it('is what the command tree says (write it anew with: vitest -u)', async () => {
    const page = [INTRODUCTION.trim(), ...all.map(section)].join('\n\n') + '\n';
    await expect(page).toMatchFileSnapshot('../../../docs/commands.md');
  });
});
