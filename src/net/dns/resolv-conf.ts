import { isIP } from 'node:net';

/** glibc uses the first three and no more. */
export const USED_NAMESERVERS = 3;

export interface ResolvConf {
  /** Every nameserver in the file, in order; the system uses the first three. */
  nameservers: string[];
  search: string[];
  ndots: number;
  timeoutSeconds: number;
  attempts: number;
  options: string[];
  /** Lines that resolvers pass over in silence, with their number from 1. */
  strange: { line: number; text: string }[];
}

/** /etc/resolv.conf as glibc reads it (resolv.conf(5)): the last `search` or `domain` counts, comments start a line. */
export function parseResolvConf(text: string): ResolvConf {
  const conf: ResolvConf = {
    nameservers: [],
    search: [],
    ndots: 1,
    timeoutSeconds: 5,
    attempts: 2,
    options: [],
    strange: [],
  };
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const [keyword = '', ...values] = line.split(/\s+/);
    const [first] = values;
    if (keyword === 'nameserver' && first !== undefined && isIP(first) !== 0) conf.nameservers.push(first);
    else if (keyword === 'search') conf.search = values;
    else if (keyword === 'domain' && first !== undefined) conf.search = [first];
    else if (keyword === 'options') readOptions(conf, values);
    else if (keyword !== 'sortlist') conf.strange.push({ line: index + 1, text: line });
  }
  return conf;
}

/** resolv.conf(5): values above these are cut to them without a word. */
const MOST = { ndots: 15, timeout: 30, attempts: 5 };

function readOptions(conf: ResolvConf, values: readonly string[]): void {
  for (const option of values) {
    conf.options.push(option);
    const match = /^(ndots|timeout|attempts):(\d+)$/.exec(option);
    const number = Number(match?.[2]);
    if (match?.[1] === 'ndots') conf.ndots = Math.min(number, MOST.ndots);
    if (match?.[1] === 'timeout') conf.timeoutSeconds = Math.min(number, MOST.timeout);
    if (match?.[1] === 'attempts') conf.attempts = Math.min(number, MOST.attempts);
  }
}
