import { stringify } from 'yaml';

/** An object as lines of a configuration file, none of them broken, without a newline at the end. */
export function yaml(value: object): string {
  return stringify(value, { lineWidth: 0 }).trimEnd();
}
