import { EXIT } from '../base/exit.ts';
import { createContext } from './terminal/context.ts';
import { report } from './terminal/exit.ts';
import { watchOutput } from './terminal/stream.ts';

/** Runs one command line and sets the process's exit code; the only place that turns an error into words and a code. */
export async function main(argv: readonly string[]): Promise<void> {
  const context = createContext(argv);
  watchOutput(context);
  try {
    const { createProgram } = await import('./program.ts');
    await createProgram(context).parseAsync([...argv], { from: 'user' });
    process.exitCode ??= EXIT.ok;
  } catch (error) {
    process.exitCode = report(error, context);
  }
}
