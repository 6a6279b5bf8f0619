import type { Channel, Command, CommandPort, CommandResult, OnOutput } from '../../src/build/command-port.ts';

/** What a dummy port does with one command. Give `act` for anything that takes time or output of its own. */
export type Act =
  | Partial<CommandResult>
  | ((
      command: Command,
      options: { signal: AbortSignal; onOutput: OnOutput },
    ) => Promise<Partial<CommandResult>>);

/** A port that ends commands on order, one act after the other, and remembers what it was asked to run. */
export function dummyPort(acts: readonly Act[]): CommandPort & { readonly commands: Command[] } {
  const commands: Command[] = [];
  return {
    commands,
    async run(command, options) {
      const act = acts[commands.length] ?? {};
      commands.push(command);
      const end = typeof act === 'function' ? await act(command, options) : act;
      return { ended: 'exit', rc: 0, signal: null, ...end };
    },
  };
}

/** An act that says something and then ends. */
export function says(
  pieces: readonly (readonly [Channel, string | Uint8Array])[],
  end: Partial<CommandResult> = {},
): Act {
  return async (_command, { onOutput }) => {
    for (const [channel, piece] of pieces) await onOutput(channel, Buffer.from(piece));
    return end;
  };
}

/** An act that goes on until it is cancelled. */
export const untilCancelled: Act = (_command, { signal }) =>
  new Promise((resolve) => {
    const end = () => resolve({ ended: 'cancelled', rc: null, signal: 'SIGTERM' });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
