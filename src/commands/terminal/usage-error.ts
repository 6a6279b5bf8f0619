import { CommanderError, type Command } from 'commander';

/** A command line that the parser refuses, with the words of the command that it meant: `bbx build log`. */
export class UsageError extends CommanderError {
  readonly words: string;

  constructor(error: CommanderError, words: string, message = error.message) {
    super(error.exitCode, error.code, message);
    this.words = words;
  }
}

/** For `exitOverride`: commander calls it on the command at which it stopped, and hands it down to every command below. */
export function usageErrorOf(this: Command | void, error: CommanderError): never {
  if (!this) throw error;
  // A group whose own call takes no argument (`doctor`) was given something that is none of its commands.
  const names = this.commands.map((command) => command.name());
  const message =
    error.code === 'commander.excessArguments' && names.length > 0
      ? `unknown command '${this.args[0] ?? ''}'; there are ${names.join(', ')}`
      : error.message;
  throw new UsageError(error, wordsOf(this), message);
}

/** `bbx build log` for the command of that name. */
export function wordsOf(command: Command): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
}
