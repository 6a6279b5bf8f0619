import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';

/** Trouble between a worker and its master, once a connection stands. */
export const protocolCodes = defineCodes({
  'BBX-PRO-JOIN': row<{ state: string }>({
    message: ({ state }) => `Cannot read the join string: ${state}`,
    hint: () => 'Copy it again whole from "bbx worker add NAME" on the master; it starts with "bbx1."',
    exit: EXIT.usage,
    about:
      'A join string was cut, mistyped or is from a newer bbx. It carries a checksum, so that a typing error is found before anything is sent.',
  }),
  'BBX-PRO-KEY': row<{ what: string; state: string }>({
    message: ({ what, state }) => `Cannot read the key "${what}": ${state}`,
    exit: EXIT.conflict,
    about: 'A key file is not a private key of the kind bbx makes: Ed25519 for workers, P-256 for farms.',
  }),
  'BBX-PRO-MALFORMED': row<{ peer: string; state: string }>({
    message: ({ peer, state }) => `Closed the session with "${peer}": it sent ${state}`,
    exit: EXIT.infrastructure,
    about:
      'The other side sent something that breaks the rules of bbx.worker.v1 (docs/protocol.md). The connection is closed and nothing of it is used.',
  }),
  'BBX-PRO-NOT-BBX': row<{ peer: string; state: string }>({
    message: ({ peer, state }) =>
      `Cannot talk to "${peer}": ${state}; is this the worker port of a bbx master?`,
    hint: ({ peer }) => `Try: bbx doctor reach ${peer}`,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'Something answered that does not speak bbx.worker.v1, or it went away before it had said who it is.',
  }),
  'BBX-PRO-VERSION': row<{ peer: string; state: string }>({
    message: ({ peer, state }) => `Cannot agree on a protocol with "${peer}": ${state}`,
    hint: () => 'Install a bbx on the older side that is at most one protocol version behind',
    exit: EXIT.conflict,
    retryable: true,
    about:
      'Master and worker share no protocol version. A master serves the newest version and the one before it.',
  }),
  'BBX-PRO-WRONG-MASTER': row<{ peer: string; got: string; expected: readonly string[] }>({
    message: ({ peer, got, expected }) =>
      `Refused the master at "${peer}": its key is ${got}, and this worker only trusts ${expected.join(', ')}`,
    hint: () =>
      'If the master has a new key on purpose, give the worker a new join string: bbx worker add NAME --renew',
    exit: EXIT.unauthenticated,
    about:
      'The key of the master does not match the pin in worker.yaml or in the join string: another machine answers at this address, something on the way opens the TLS, or the master was made anew.',
  }),
  'BBX-PRO-SIGNATURE': row<{ peer: string }>({
    message: ({ peer }) =>
      `Refused the master at "${peer}": its signature does not belong to this connection`,
    hint: ({ peer }) => `Something between opens the TLS or repeats old answers: bbx doctor reach ${peer}`,
    exit: EXIT.unauthenticated,
    about:
      'The greeting of a master is signed over the nonce of the worker and the exporter value of the TLS session. A wrong signature means that the TLS does not end at the master.',
  }),
  'BBX-PRO-REFUSED': row<{ name: string; peer: string; reason: string; message: string }>({
    message: ({ name, peer, message }) => `The master at "${peer}" does not let "${name}" in: ${message}`,
    hint: ({ reason, name }) =>
      reason === 'expired' || reason === 'identity'
        ? `On the master: bbx worker add ${name} --renew, and give this worker the new join string`
        : undefined,
    exit: EXIT.unauthenticated,
    about:
      'The name of the worker is unknown to the master, or belongs to another key, or its join string is used up or expired. The answer is the same for the first two on purpose.',
  }),
  'BBX-PRO-PENDING': row<{ name: string; peer: string; fingerprint: string }>({
    message: ({ name, peer }) => `Waiting: the master at "${peer}" has "${name}" as pending`,
    hint: ({ name, fingerprint }) =>
      `On the master: bbx worker approve ${name}, after comparing the fingerprint ${fingerprint}`,
    exit: EXIT.unauthenticated,
    retryable: true,
    about: 'A worker without a join string is let in when somebody on the master approves it.',
  }),
  'BBX-PRO-ALTERNATING': row<{ name: string; message: string }>({
    message: ({ name, message }) => `Two workers use the name "${name}" in turn: ${message}`,
    hint: () => 'Stop one of them, or give it a name of its own: bbx create-worker --name NAME',
    exit: EXIT.conflict,
    retryable: true,
    about: 'Two running processes hold the same key and name and replaced each other again and again.',
  }),
  'BBX-PRO-BUSY': row<{ peer: string; message: string }>({
    message: ({ peer, message }) => `The master at "${peer}" is busy: ${message}`,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'The master has too many connections that are not authenticated, or was asked for too many echoes.',
  }),
  'BBX-PRO-REPLACED': row<{ name: string; message: string }>({
    message: ({ name, message }) => `Another process has taken the place of the worker "${name}": ${message}`,
    hint: () =>
      'Run one process for each worker name; "bbx worker show NAME" on the master says from where the other came',
    exit: EXIT.conflict,
    about:
      'A second process with the same key and name has connected. There is one session for each name; the older process ends.',
  }),
  'BBX-PRO-REMOVED': row<{ name: string; message: string }>({
    message: ({ name, message }) => `The worker "${name}" was removed from its master: ${message}`,
    exit: EXIT.forbidden,
    about: 'Somebody ran "bbx worker remove" on the master.',
  }),
  'BBX-PRO-LOST': row<{ peer: string; state: string }>({
    message: ({ peer, state }) => `Lost the session with "${peer}": ${state}`,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'The connection ended or was silent for 35 s. A worker comes back by itself and goes on where the master has stored to.',
  }),
  'BBX-PRO-TOO-SLOW': row<{ peer: string; state: string }>({
    message: ({ peer, state }) => `Gave up on "${peer}": ${state}`,
    exit: EXIT.unreachable,
    retryable: true,
    about: 'The other side did not finish greeting and authentication within 10 s.',
  }),
  'BBX-PRO-TOO-LARGE': row<{ what: string; bytes: number; limit: number }>({
    message: ({ what, bytes, limit }) => `Cannot send ${what}: ${bytes} bytes are over the limit of ${limit}`,
    exit: EXIT.configInvalid,
    about:
      'A plan with its scripts and secrets must fit into one message of 4 MiB. Move long scripts into the repository.',
  }),
});
