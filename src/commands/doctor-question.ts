import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errnoOf } from '../base/error.ts';
import { fileReason } from '../base/file-trouble.ts';
import type { Topic } from '../diagnostics/check.ts';
import { pinOfToken } from '../diagnostics/doors/probe-listener.ts';
import { parseServer } from '../diagnostics/doors/names.ts';
import { readTarget, type Question } from '../diagnostics/plan/question.ts';
import { parseAddress } from '../net/endpoint/address.ts';
import { parseHop } from '../net/endpoint/hop.ts';
import type { DoctorOptions } from './doctor-options.ts';
import { codes } from './terminal/codes.ts';

/** Mail's port where none is written: what a farm's reporters use. */
const SMTP_PORT = 25;

/** The call's words as a question. Throws BBX-USAGE and the addresses' own errors. */
export function questionOf(
  topic: Topic | undefined,
  words: readonly string[],
  options: DoctorOptions,
  cwd: string,
): Question {
  const [first] = words;
  // A mail server has checks of its own; of the target, TCP is asked for.
  const mail = options.protocol === 'smtp';
  const protocol =
    options.protocol === undefined
      ? {}
      : { protocol: options.protocol === 'smtp' ? ('tcp' as const) : options.protocol };
  switch (topic) {
    case 'ipv6':
      if (options.reach !== undefined && options.stock === undefined)
        throw codes['BBX-USAGE']({
          problem: '--reach names what the workers of a stock master dial',
          hint: 'bbx doctor ipv6 --stock DIR --reach NAME',
        });
      return {
        topic,
        ...(first === undefined ? {} : readTarget(first)),
        ...protocol,
        ...(options.listen === undefined ? {} : { listen: options.listen }),
        ...(options.stock === undefined ? {} : { stock: options.stock }),
        ...(options.reach === undefined ? {} : { reach: options.reach.map(nameIn) }),
      };
    case 'dns':
      if (first === undefined)
        throw codes['BBX-USAGE']({ problem: 'Want a name to look up', hint: 'bbx doctor dns NAME' });
      if (options.server !== undefined) parseServer(options.server);
      return {
        topic,
        name: nameIn(first),
        ...(options.server === undefined ? {} : { server: options.server }),
      };
    case 'listen':
      return { topic, listen: words };
    case 'tls':
      return {
        topic,
        target: wanted(first, topic),
        protocol: protocol.protocol ?? 'tls',
        tls: {
          ...(options.name === undefined ? {} : { name: nameIn(options.name) }),
          ...(options.ca === undefined ? {} : { ca: readAuthorities(options.ca, cwd) }),
        },
      };
    case 'reach':
      return {
        topic,
        target: wanted(first, topic),
        ...protocol,
        ...(mail ? { mail } : {}),
        soak: options.soak === true,
        ...(options.token === undefined ? {} : { pin: pinOf(options.token) }),
        via: (options.via ?? []).map(parseHop),
        ...(options.from === undefined ? {} : { from: fromOf(options) }),
      };
    case 'mail':
      if (first === undefined) return { topic };
      return {
        topic,
        ...(/^https?:\/\//i.test(first)
          ? { urls: words }
          : { target: readTarget(first, SMTP_PORT).target, protocol: 'tcp' }),
      };
    case 'path':
      if (first === undefined)
        throw codes['BBX-USAGE']({ problem: 'Want a worker', hint: 'bbx doctor path WORKER' });
      return { topic, worker: first };
    case 'config':
      return { topic, paths: words, ...(options.execConfig === true ? { execConfig: true } : {}) };
    case 'source':
      return { topic, urls: words, ...(options.worker === undefined ? {} : { worker: options.worker }) };
    case undefined:
    case 'proxy':
    case 'clock':
    case 'host':
      return { topic };
  }
}

function wanted(text: string | undefined, topic: Topic) {
  if (text === undefined)
    throw codes['BBX-USAGE']({
      problem: `Want an address for ${topic}`,
      hint: `bbx doctor ${topic} HOST:PORT`,
    });
  return readTarget(text).target;
}

function pinOf(token: string): string {
  const pin = pinOfToken(token);
  if (pin !== undefined) return pin;
  throw codes['BBX-USAGE']({
    problem: '--token is none that "doctor listen --probe" prints',
    hint: 'It begins with probe1. and has 50 characters; copy the whole line',
  });
}

/** The name of `NAME` or `NAME:PORT`. */
function nameIn(text: string): string {
  const address = parseAddress(text);
  return address.kind === 'unix' ? text : address.host;
}

/** The file of `--ca`. Throws BBX-USAGE. */
function readAuthorities(file: string, cwd: string): { file: string; pem: string } {
  const refuse = (problem: string, cause?: unknown) =>
    codes['BBX-USAGE'](
      { problem: `Cannot use --ca "${file}": ${problem}`, hint: 'Name a file with certificates in PEM' },
      { cause },
    );
  let pem: string;
  try {
    pem = readFileSync(resolve(cwd, file), 'utf8');
  } catch (error) {
    throw refuse(fileReason(error) ?? errnoOf(error) ?? 'it cannot be read', error);
  }
  try {
    new X509Certificate(pem);
  } catch (error) {
    throw refuse('it holds no certificate', error);
  }
  return { file, pem };
}

/** The machine of `--from`. Throws BBX-USAGE for what is none, or for flags that look from here. */
function fromOf(options: DoctorOptions) {
  const hop = parseHop(options.from ?? '');
  const [other] = (['via', 'soak', 'token'] as const).filter((name) => options[name] !== undefined);
  if (hop.kind !== 'ssh' || other !== undefined)
    throw codes['BBX-USAGE']({
      problem:
        other === undefined
          ? `--from takes a machine to log in to, not ${hop.kind}`
          : `--from and --${other} do not go together`,
      hint: 'bbx doctor reach HOST:PORT --from ssh:me@w7',
    });
  return hop;
}
