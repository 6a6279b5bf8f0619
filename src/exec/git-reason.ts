import { withoutCredentials } from '../base/without-credentials.ts';

/** The line of git's errors that says most: the last `fatal:` or `error:`, else the last at all; without credentials. */
export function reasonIn(stderr: string): string | undefined {
  const lines = stderr
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f]/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const at = lines.findLastIndex((line) => /^(?:fatal|error):/.test(line));
  // Of a connection over ssh git says only that it failed; why, ssh has said before.
  const why = lines[at]?.startsWith('fatal: Could not read from remote repository') === true ? at - 1 : at;
  const last = lines[why] ?? lines[at] ?? lines.at(-1);
  return last === undefined ? undefined : withoutCredentials(last.replace(/^(?:fatal|error): /, ''));
}
