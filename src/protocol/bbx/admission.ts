import { randomBytes } from 'node:crypto';
import type { Dialect } from './dialect.ts';
import { fingerprintOf, signGreeting, verifyAuthentication } from './keys.ts';
import type { MasterSessionOptions, WorkerClaim } from './master-contract.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';

/** The master's side of the mutual proof between a worker's hello and the decision about it. */
export class Admission {
  readonly #options: MasterSessionOptions;
  readonly #challenge = randomBytes(32);
  readonly #nonce: Buffer;
  readonly #software: string;

  constructor(options: MasterSessionOptions, hello: MessageOf<WorkerMessage, 'hello'>) {
    this.#options = options;
    this.#nonce = Buffer.from(hello.nonce, 'base64');
    this.#software = hello.software;
  }

  get nonce(): Uint8Array {
    return this.#nonce;
  }

  /** Who the master is, signed over this TLS session, with the challenge for the worker. */
  greeting(dialect: Dialect): MessageOf<MasterMessage, 'greeting'> {
    const { key, epoch, exporter, clock, software, capabilities = [] } = this.#options;
    const challenge = this.#challenge;
    return {
      type: 'greeting',
      version: dialect.version,
      software,
      instance: key.fingerprint,
      publicKey: Buffer.from(key.publicKey).toString('base64'),
      challenge: challenge.toString('base64'),
      epoch,
      signature: signGreeting(key, { nonce: this.#nonce, challenge, exporter, epoch }),
      time: clock.wall(),
      capabilities: [...capabilities],
    };
  }

  /** Who the worker says it is, and whether the key that it names has signed this very session. */
  claim(message: MessageOf<WorkerMessage, 'authenticate'>): { claim: WorkerClaim; isSigned: boolean } {
    const { exporter, peer } = this.#options;
    const { name, boot, secret, probe, signature } = message;
    const publicKey = Buffer.from(message.publicKey, 'base64');
    const fingerprint = fingerprintOf(publicKey);
    const binding = { nonce: this.#nonce, challenge: this.#challenge, exporter, name, boot };
    return {
      claim: { name, publicKey, fingerprint, secret, boot, probe, peer, software: this.#software },
      isSigned: verifyAuthentication(publicKey, binding, signature),
    };
  }
}
