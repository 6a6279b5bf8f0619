import { defineCodes, row } from '../../base/error.ts';
import { EXIT } from '../../base/exit.ts';
import { quote } from './quote.ts';

/** What is wrong with an address that somebody wrote. `column` counts from 1 and points into `text`. */
export interface AddressFault {
  text: string;
  column: number;
  problem: string;
  /** The right form, as the reader would write it. */
  expected: string;
}

/** Texts that are no address; every row has the column of the first wrong character, from 1. */
export const codes = defineCodes({
  'BBX-NET-ADDRESS': row<AddressFault>({
    message: ({ text, column, problem }) =>
      `Cannot read address ${quote(text)}: ${problem} (column ${column})`,
    hint: ({ expected }) => `Write ${expected}`,
    exit: EXIT.usage,
    about:
      'The text is not an address in any of the forms that docs/addresses.md lists. The column says where reading stopped.',
  }),
  'BBX-NET-LISTEN-ADDRESS': row<AddressFault>({
    message: ({ text, column, problem }) => `Cannot listen on ${quote(text)}: ${problem} (column ${column})`,
    hint: ({ expected }) => `Write ${expected}`,
    exit: EXIT.usage,
    about: 'The text is not an address to listen on in any of the forms that docs/addresses.md lists.',
  }),
  'BBX-NET-HOP': row<AddressFault>({
    message: ({ text, column, problem }) => `Cannot read hop ${quote(text)}: ${problem} (column ${column})`,
    hint: ({ expected }) => `Write ${expected}`,
    exit: EXIT.usage,
    about:
      'The text after --via, or in `via:`, is not a hop in any of the forms that docs/addresses.md lists.',
  }),
});
