import { Option } from 'commander';

/** A flag with its environment name: `--web-listen` is also `BBX_WEB_LISTEN`, `--no-input` also `BBX_NO_INPUT`. */
export function flag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.env(`BBX_${option.name().replaceAll('-', '_').toUpperCase()}`);
}
