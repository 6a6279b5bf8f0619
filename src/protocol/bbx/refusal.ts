import type { BbxError } from '../../base/error.ts';
import { protocolCodes } from '../codes.ts';
import type { MasterMessage, MessageOf } from './messages.ts';

export type Refusal = MessageOf<MasterMessage, 'refused'>;

/** A master's refusal as the worker's error. `data.retryAfter` holds the seconds that the master asks for, if it does. */
export function refusalError(
  refusal: Refusal,
  about: { peer: string; name: string; fingerprint: string },
): BbxError {
  const { peer, name, fingerprint } = about;
  const { reason, retryAfter } = refusal;
  // Text of a peer goes to a terminal: no control characters.
  const message = refusal.message.replaceAll(/\p{Cc}+/gu, ' ');
  const wait = retryAfter === undefined ? {} : { retryAfter };
  switch (reason) {
    case 'pending':
      return protocolCodes['BBX-PRO-PENDING']({ name, peer, fingerprint, ...wait });
    case 'version':
      return protocolCodes['BBX-PRO-VERSION']({ peer, state: message, ...wait });
    case 'alternating':
      return protocolCodes['BBX-PRO-ALTERNATING']({ name, message, ...wait });
    case 'busy':
      return protocolCodes['BBX-PRO-BUSY']({ peer, message, ...wait });
    case 'removed':
      return protocolCodes['BBX-PRO-REMOVED']({ name, message, ...wait });
    case 'malformed':
      return protocolCodes['BBX-PRO-MALFORMED']({ peer, state: message, ...wait });
    case 'identity':
    case 'expired':
      return protocolCodes['BBX-PRO-REFUSED']({ name, peer, reason, message, ...wait });
  }
}
