import { Command } from 'commander';

/** The command line of a tool of ours that npm runs: wrong words end it with 2, as they end bbx, and not with the 1 of a bad finding. */
export function toolCommand(script: string): Command {
  return new Command(`npm run ${script} --`).exitOverride(({ exitCode }) => {
    process.exit(exitCode === 0 ? 0 : 2);
  });
}
