import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/commands/program.ts';
import { createContext } from '../../../src/commands/terminal/context.ts';

const WIDTH = 80;

/** Each command and group with its help page on a terminal of that width. */
function pages(command: Command, path: readonly string[] = []): [title: string, page: string][] {
  const words = [...path, command.name()];
  let page = '';
  command.configureOutput({ writeOut: (part) => (page += part), getOutHelpWidth: () => WIDTH });
  command.outputHelp();
  return [[words.join(' '), page], ...command.commands.flatMap((child) => pages(child, words))];
}

describe('the help of', () => {
  it.each(pages(createProgram(createContext([]))))('%s fits a terminal of 80 columns', (_title, page) => {
    // An example is one line, however long, so that it can be copied.
    const lines = page.split('\n').filter((line) => !line.startsWith('  bbx '));
    expect(lines.filter((line) => line.length > WIDTH)).toEqual([]);
    expect(page).not.toContain('display help for command');
  });
});
