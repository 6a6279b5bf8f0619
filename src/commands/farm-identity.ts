import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { Secret } from '../base/secret.ts';
import type { JoinsFile } from '../config/joins-file.ts';
import { createFarmKey, selfSignedCertificate } from '../net/tls/certificate.ts';
import { pinOf } from '../net/tls/pin.ts';
import { parseAddress } from '../net/endpoint/address.ts';
import { parseJoin, printJoin } from '../protocol/bbx/join.ts';
import { secretHash } from '../store/joins.ts';
import { codes } from './terminal/codes.ts';

/** Random bytes of a join secret; nobody guesses half of them. */
const SECRET_BYTES = 32;

/** The file of `bbx identity new`: a farm before its master exists. Whoever has it is the farm. */
const identityFile = z.object({
  v: z.literal(1),
  kind: z.literal('bbx-identity'),
  pin: z.string(),
  key: z.string().max(10_000),
  certificate: z.string().max(10_000),
  reach: z.array(z.string().max(300)).max(32),
  workers: z.array(z.object({ name: z.string(), join: z.string(), expires: z.number() })).max(100_000),
});
export type IdentityFile = z.output<typeof identityFile>;

/** A new farm: its key, its certificate, and a join string for each worker. `now` and `expiresMs` decide when those end. */
export function createIdentity(options: {
  workers: readonly string[];
  reach: readonly string[];
  expiresMs: number;
  now: number;
}): IdentityFile {
  const { workers, reach, expiresMs, now } = options;
  const key = createFarmKey();
  const pin = pinOf(key);
  const expires = Math.floor(now + expiresMs / 1000);
  return {
    v: 1,
    kind: 'bbx-identity',
    pin,
    key,
    certificate: selfSignedCertificate(key, { names: hostsOf(reach) }),
    reach: [...reach],
    workers: workers.map((name) => {
      const secret = new Secret(randomBytes(SECRET_BYTES).toString('base64url'));
      return {
        name,
        join: printJoin({ pins: [pin], reach, secret, uses: 1, expires, names: name }),
        expires,
      };
    }),
  };
}

/** Reads an identity file and makes sure that its parts belong together. Throws BBX-USAGE. */
export function parseIdentity(text: string): IdentityFile {
  const wrong = (problem: string) =>
    codes['BBX-USAGE']({
      problem: `--identity: ${problem}`,
      hint: 'Make one with: bbx identity new --out FILE',
    });
  const parsed = identityFile.safeParse(json(text));
  if (!parsed.success) throw wrong('this is not what "bbx identity new" writes');
  const identity = parsed.data;
  let pins: string[];
  try {
    pins = [pinOf(identity.key), pinOf(identity.certificate)];
  } catch {
    throw wrong('its key or its certificate cannot be read');
  }
  if (pins.some((pin) => pin !== identity.pin))
    throw wrong('its key, certificate and pin do not belong together');
  return identity;
}

/** The joins of an identity as the master will take them in: hashes, names and ends. */
export function joinsOf(identity: IdentityFile): JoinsFile {
  return {
    v: 1,
    joins: identity.workers.map(({ join }) => {
      const { secret, names, uses, expires } = parseJoin(join);
      // Everything that this program makes expires; one without an end is not ours.
      if (expires === null)
        throw codes['BBX-USAGE']({ problem: '--identity: a join string in it does not expire' });
      return { secret_sha256: secretHash(secret.reveal()), names, uses, expires_at: expires };
    }),
  };
}

/** Names for a certificate: the hosts of addresses that people may reach the farm by. */
export function hostsOf(reach: readonly string[]): string[] {
  return reach.flatMap((text) => {
    const address = parseAddress(text);
    return address.kind === 'unix' ? [] : [address.host];
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
