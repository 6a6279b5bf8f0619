import type { Lease } from '../../../src/protocol/bbx/lease.ts';
import type { MessageOf } from '../../../src/protocol/bbx/messages.ts';
import type { Part, Random } from './mutate.ts';

/** Each message of one side as a good peer may say it: a message without its word here does not compile. */
export type Words<Message extends { type: string }> = {
  readonly [Type in Message['type']]: (random: Random, lease: Lease) => MessageOf<Message, Type>;
};

/** A message as it is sent. */
export function say(message: object): Part {
  return { text: JSON.stringify(message) };
}

/** These fields in half of the cases. */
export function sometimes<Fields extends object>(random: Random, fields: Fields): Fields | undefined {
  return random() < 0.5 ? fields : undefined;
}

/** Base64 of so many bytes. */
export function base64(bytes: number): string {
  return Buffer.alloc(bytes, 5).toString('base64');
}
