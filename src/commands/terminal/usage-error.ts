import { CommanderError, type Command } from 'commander';

/** A command line that the parser refuses, with the words of the command that it meant: `bbx build log`. */
export class UsageError extends CommanderError {
  readonly words: string;

  constructor(error: CommanderError, words: string) {
    super(error.exitCode, error.code, error.message);
    this.words = words;
  }
}

/** For `exitOverride`: commander calls it on the command at which it stopped, and hands it down to every command below. */
export function usageErrorOf(this: Command | void, error: CommanderError): never {
  if (!this) throw error;
  throw new UsageError(error, wordsOf(this));
}

/** `bbx build log` for the command of that name. */
function wordsOf(command: Command): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
}
