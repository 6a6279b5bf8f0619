import type { CommandPort } from '../../build/command-port.ts';
import { machineElapsed } from './elapsed.ts';
import type { LastEnd } from './keeper/last-end.ts';
import { treeWords } from './tree-words.ts';
import { asResult } from './verbs/context.ts';

/** A port of which one step's command has ended already, under a keeper that is gone; the others run at `port`. */
export function knownEndPort(
  port: CommandPort,
  { step, end, boot, seconds }: LastEnd,
  elapsed = machineElapsed(),
): CommandPort {
  return {
    async run(command, options) {
      if (options.into?.step !== step) return port.run(command, options);
      const { error, ...rest } = end;
      const tree = error === undefined ? rest : { ...rest, error: new Error(error) };
      if (tree.told !== true)
        for (const line of treeWords(tree)) await options.onOutput('header', Buffer.from(`${line}\n`));
      // Readings of another run of the machine say nothing of how long ago it was.
      const agoMs =
        boot === elapsed.host && seconds !== undefined ? (elapsed.seconds() - seconds) * 1000 : undefined;
      return asResult({ ...tree, agoMs });
    },
  };
}
