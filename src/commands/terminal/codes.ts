import { defineCodes, row } from '../../base/error.ts';
import { EXIT } from '../../base/exit.ts';

/** Trouble with the command line itself. */
export const codes = defineCodes({
  'BBX-USAGE': row<{ problem: string; hint?: string }>({
    message: ({ problem }) => problem,
    hint: ({ hint }) => hint ?? 'See: bbx --help, or bbx COMMAND --help',
    exit: EXIT.usage,
    about:
      'The command line has an unknown flag, a bad value, or lacks an answer that no question could ask for.',
  }),
});
