/**
 * Raised inside the grammar, where the whole text is not known. The parser at the door turns it into the BbxError of its kind, with
 * the offset made a column of what the user wrote.
 */
export class GrammarFault extends Error {
  readonly offset: number;
  readonly expected: string;

  constructor(offset: number, problem: string, expected: string) {
    super(problem);
    this.offset = offset;
    this.expected = expected;
  }
}

/** The data of an error row: the fault with its column, and the text without a password that somebody wrote into it. */
export function describeFault(
  text: string,
  fault: GrammarFault,
): { text: string; column: number; problem: string; expected: string } {
  const secret = /^[A-Za-z0-9+.-]*:(?:\/\/)?([^@/]*:[^@/]*)@/.exec(text)?.[1];
  const hide = (words: string) => (secret === undefined ? words : words.replaceAll(`${secret}@`, '***@'));
  return {
    text: hide(text),
    column: fault.offset + 1,
    problem: hide(fault.message),
    expected: hide(fault.expected),
  };
}
