import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';

/** Trouble with what a plan says, found when it is checked or when a step is about to run. */
export const codes = defineCodes({
  'BBX-BLD-TEMPLATE': row<{ text: string; at: number; problem: string }>({
    message: ({ text, at, problem }) =>
      `Cannot read the template "${text}" at character ${at + 1}: ${problem}`,
    exit: EXIT.configInvalid,
    about: 'A text with `${{ property }}` is not written correctly. A literal `${{` is written `$${{`.',
  }),
  'BBX-BLD-PROPERTY': row<{ name: string; suggestion: string | undefined }>({
    message: ({ name, suggestion }) =>
      `Cannot fill in property "${name}": this build has no such property` +
      (suggestion === undefined ? '' : `; did you mean "${suggestion}"?`),
    hint: () => 'Properties come from the build itself, its scheduler, its change, and earlier steps',
    exit: EXIT.configInvalid,
    about: 'A step names a property in `${{ }}` that the build does not have when the step starts.',
  }),
  'BBX-BLD-SECRET': row<{ name: string }>({
    message: ({ name }) =>
      `Cannot fill in secret "${name}": the master did not give it; define it under secrets:`,
    exit: EXIT.configInvalid,
    about: 'A step wants a secret that the master has not defined, or could not read, when the step starts.',
  }),
});
