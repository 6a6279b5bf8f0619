import { Option } from 'commander';

/**
 * A flag with its environment name: `--web-listen` is also `BBX_WEB_LISTEN`, `--no-input` also `BBX_NO_INPUT`. `of` goes before it where
 * another command's flag of that name takes another kind of value: `status --wait 60s` is `BBX_STATUS_WAIT`.
 */
export function flag(flags: string, description: string, of?: string): Option {
  const option = new Option(flags, description);
  const words = of === undefined ? option.name() : `${of}-${option.name()}`;
  return option.env(`BBX_${words.replaceAll('-', '_').toUpperCase()}`);
}
