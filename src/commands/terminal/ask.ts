import { Interrupted, type Context } from './context.ts';

export interface Question {
  name: string;
  /** What is asked, in a few words. */
  message: string;
  default?: string;
  /** What is wrong with an answer, or true. */
  check?: (text: string) => true | string;
}

/**
 * Asks on the terminal, on stderr, so that stdout stays the answer; an empty text means "not given". Call it only when
 * `context.interactive`. The library is loaded only now: a command that asks nothing must not pay for it.
 */
export async function ask(context: Context, questions: readonly Question[]): Promise<Record<string, string>> {
  if (questions.length === 0) return {};
  const { createPromptModule } = (await import('inquirer')).default;
  const prompt = createPromptModule({ input: context.stdin, output: context.stderr });
  try {
    const answers: Record<string, unknown> = await prompt(
      questions.map(({ name, message, check, ...rest }) => ({
        type: 'input' as const,
        name,
        message,
        ...('default' in rest ? { default: rest.default } : {}),
        validate: (text: string) => (check === undefined || text === '' ? true : check(text)),
      })),
    );
    return Object.fromEntries(Object.entries(answers).map(([name, text]) => [name, String(text).trim()]));
  } catch (error) {
    if (error instanceof Error && error.name === 'ExitPromptError') throw new Interrupted();
    throw error;
  }
}
