import { randomBytes } from 'node:crypto';
import type { ZodError } from 'zod';
import { sleep } from '../../base/abort.ts';
import { handlesWith } from '../../base/handle.ts';
import { protocolCodes } from '../codes.ts';
import { decodeLogFrame } from './codec.ts';
import { DIALECTS, agree, readWith, writeWith } from './dialect.ts';
import type { Dialect } from './dialect.ts';
import { createEchoBudget } from './echo-budget.ts';
import { Intake } from './intake.ts';
import { fingerprintOf, signGreeting, verifyAuthentication } from './keys.ts';
import type { Lease } from './lease.ts';
import { LIMITS } from './limits.ts';
import type { Limits } from './limits.ts';
import { openLine, type Line } from './line.ts';
import type {
  Decision,
  MasterSession,
  MasterSessionHandlers,
  MasterSessionOptions,
  WorkerClaim,
} from './master-contract.ts';
import { workerMessage } from './messages.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';
import { CLOSE } from './wire.ts';

/** One answer for a name that nobody knows and for a key that is not the name's: it tells a stranger nothing. */
const UNKNOWN = 'the name is not known here, or it belongs to another key';

const sessionHandle = handlesWith<
  { line: Line; claim(): WorkerClaim | undefined },
  Pick<MasterSession, 'claim' | 'ended' | 'heardAt'>
>({
  claim: ({ claim }) => claim(),
  ended: ({ line }) => line.ended,
  heardAt: ({ line }) => line.heardAt,
});

/** Serves one connection. Returns at once; everything else comes through the callbacks. */
export function serveMasterSession(options: MasterSessionOptions): MasterSession {
  const { peer, clock, key, epoch, exporter } = options;
  const limits: Limits = options.limits === undefined ? LIMITS : { ...LIMITS, ...options.limits };
  const dialects = options.dialects ?? DIALECTS;
  const intake = new Intake(limits);
  const echoes = createEchoBudget(clock, limits.echoBurst, limits.echoPerSecond);
  const challenge = randomBytes(32);
  let stage: 'hello' | 'authenticate' | 'inventory' | 'open' | 'over' = 'hello';
  let dialect: Dialect | undefined;
  let greeted: { nonce: Buffer; software: string } | undefined;
  let claim: WorkerClaim | undefined;
  let handlers: MasterSessionHandlers | undefined;

  const line = openLine({
    socket: options.socket,
    peer,
    clock,
    limits,
    text: onText,
    binary: onBinary,
  });
  const hurry = setTimeout(() => {
    const state = `it did not authenticate within ${limits.authenticationMs / 1000} s`;
    line.close(CLOSE.tooSlow, 'too slow', protocolCodes['BBX-PRO-TOO-SLOW']({ peer, state }));
  }, limits.authenticationMs);
  void line.end.then((end) => {
    clearTimeout(hurry);
    stage = 'over';
    if (handlers === undefined) options.onRejected?.(end);
    else handlers.onClosed(end);
  });

  function send(message: MasterMessage): void {
    const lowered = writeWith(dialect, message);
    if (lowered !== null) line.send(lowered);
  }

  function refuse(
    reason: MessageOf<MasterMessage, 'refused'>['reason'],
    message: string,
    retryAfter?: number,
  ) {
    send({
      type: 'refused',
      reason,
      message: message.slice(0, 1_000),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
    const name = claim?.name ?? '';
    const error = protocolCodes['BBX-PRO-REFUSED']({ name, peer, reason, message });
    line.close(CLOSE.refused, reason, error);
  }

  function onText(text: string): void | Promise<void> {
    const json = readWith(dialect, text);
    if (json === undefined) return line.malformed('text that is not JSON');
    const parsed = workerMessage.safeParse(json);
    if (!parsed.success) return line.malformed(`a message that cannot be: ${complaint(parsed.error)}`);
    const message = parsed.data;
    if (message.type === 'echo' && stage !== 'hello') return onEcho(message);
    switch (stage) {
      case 'hello':
        return message.type === 'hello' ? onHello(message) : outOfOrder(message.type);
      case 'authenticate':
        return message.type === 'authenticate' ? onAuthenticate(message) : outOfOrder(message.type);
      case 'inventory':
        if (message.type !== 'inventory') return outOfOrder(message.type);
        stage = 'open';
        return handlers?.onInventory(message);
      case 'open':
        return onWork(message);
      case 'over':
        return undefined;
    }
  }

  function outOfOrder(type: string): void {
    line.malformed(`"${type}" where it does not belong`);
  }

  function onEcho({ id, payload }: MessageOf<WorkerMessage, 'echo'>): void {
    if (echoes.take()) send({ type: 'echoed', id, payload });
    else refuse('busy', 'too many echoes');
  }

  function onHello({ versions, software, nonce }: MessageOf<WorkerMessage, 'hello'>): void {
    dialect = agree(dialects, versions);
    if (dialect === undefined) {
      const mine = dialects.map(({ version }) => version).join(', ');
      return refuse('version', `this master speaks ${mine}, the worker offers ${versions.join(', ')}`);
    }
    greeted = { nonce: Buffer.from(nonce, 'base64'), software };
    stage = 'authenticate';
    send({
      type: 'greeting',
      version: dialect.version,
      software: options.software,
      instance: key.fingerprint,
      publicKey: Buffer.from(key.publicKey).toString('base64'),
      challenge: challenge.toString('base64'),
      epoch,
      signature: signGreeting(key, { nonce: greeted.nonce, challenge, exporter, epoch }),
      time: clock.wall(),
      capabilities: [...(options.capabilities ?? [])],
    });
  }

  async function onAuthenticate(message: MessageOf<WorkerMessage, 'authenticate'>): Promise<void> {
    const started = clock.monotonic();
    const { name, boot, secret, probe, signature } = message;
    const publicKey = Buffer.from(message.publicKey, 'base64');
    const nonce = greeted?.nonce ?? Buffer.alloc(0);
    const software = greeted?.software ?? '';
    const binding = { nonce, challenge, exporter, name, boot };
    const fingerprint = fingerprintOf(publicKey);
    claim = { name, publicKey, fingerprint, secret, boot, probe, peer, software };
    // A claim without a good signature is nobody's: it is not even looked up, and the answer waits like the others.
    const decision: Decision = verifyAuthentication(publicKey, binding, signature)
      ? await options.authenticate(claim)
      : { let: 'out', reason: 'unknown' };
    if (line.ended) return;
    if (decision.let === 'in') return letIn(claim, decision);
    await sleep(Math.max(0, limits.refusalMs - (clock.monotonic() - started)));
    if (decision.reason === 'unknown') return refuse('identity', UNKNOWN, decision.retryAfter);
    refuse(decision.reason, decision.message ?? WORDS[decision.reason], decision.retryAfter);
  }

  function letIn(who: WorkerClaim, decision: Decision & { let: 'in' }): void | Promise<void> {
    clearTimeout(hurry);
    const { session: id, reach, pins } = decision;
    if (!who.probe) {
      line.raiseLimit();
      handlers = options.accept(session, who, id);
      stage = 'inventory';
    }
    send({ type: 'accepted', session: id, peer, reach: [...reach], pins: [...pins] });
    if (who.probe) {
      stage = 'over';
      return line.close(CLOSE.normal, 'probe');
    }
    return handlers?.onReady?.();
  }

  function onWork(message: WorkerMessage): void | Promise<void> {
    const on = handlers;
    if (on === undefined) return undefined;
    switch (message.type) {
      case 'state':
        return on.onState({ draining: message.draining, notes: message.notes });
      case 'history':
        return on.onHistory?.(message.records);
      case 'assigned': {
        const { build, token, accepted, why } = message;
        if (!accepted) intake.forget(message);
        return on.onAssigned({ build, token, accepted, why });
      }
      case 'abandoned':
        intake.forget(message);
        return on.onAbandoned({ build: message.build, token: message.token }, message.why);
      case 'progress': {
        const verdict = intake.event(message, message.sequence, message.event);
        return verdict.is === 'fresh'
          ? on.onProgress(verdict.lease, message.sequence, message.event)
          : unused(verdict);
      }
      case 'open': {
        const verdict = intake.open(message);
        return verdict.is === 'fresh' ? undefined : unused(verdict);
      }
      default:
        return outOfOrder(message.type);
    }
  }

  function onBinary(bytes: Uint8Array): void | Promise<void> {
    const frame = decodeLogFrame(bytes);
    if (typeof frame === 'string') return line.malformed(frame);
    if (stage !== 'open' || handlers === undefined) return outOfOrder('binary frame');
    const verdict = intake.bytes(frame);
    if (verdict.is !== 'fresh') return unused(verdict);
    const { lease, step, log, offset, bytes: piece } = verdict;
    return handlers.onBytes({
      ...lease,
      step,
      log,
      offset,
      channel: frame.channel,
      at: frame.at,
      bytes: piece,
    });
  }

  function unused(verdict: Unused): void {
    if (verdict.is === 'malformed') return line.malformed(verdict.state);
    if (verdict.is === 'foreign' && verdict.tell) {
      send({ type: 'drop', ...verdict.lease, why: 'this try at the build is not this session’s' });
    }
    if (verdict.is !== 'again') return;
    const again = intake.repeat(verdict.lease, verdict.stream);
    if (again !== undefined) send(again);
  }

  const session: MasterSession = sessionHandle<Omit<MasterSession, 'claim' | 'ended' | 'heardAt'>>(
    { line, claim: () => claim },
    {
      traffic: line.traffic,
      takePulse: () => line.takePulse(),
      assign(lease, { plan, secrets, orphanAfter }) {
        send({ type: 'assign', ...pick(lease), plan, secrets: { ...secrets }, orphanAfter });
        // Asked again within a session it is only answered again: what was sent of it stays.
        if (!intake.knows(lease)) intake.begin(lease, { sequence: 0, logs: [] });
      },
      cancel: (lease, why) => send({ type: 'cancel', ...pick(lease), why: why.slice(0, 1_000) }),
      drop(lease, why) {
        intake.forget(lease);
        send({ type: 'drop', ...pick(lease), why: why.slice(0, 1_000) });
      },
      resume(lease, { sequence, logs }) {
        intake.begin(lease, { sequence, logs });
        send({
          type: 'resume',
          ...pick(lease),
          sequence,
          logs: logs.map(({ step, log, bytes }) => ({ step, log, bytes })),
        });
      },
      acknowledge(lease, stored) {
        const acknowledgement = intake.stored(lease, stored);
        if (acknowledgement !== undefined) send(acknowledgement);
      },
      historyStored: (number) => send({ type: 'historyStored', number }),
      settings: ({ paused, reach, pins }) =>
        send({ type: 'settings', paused, reach: [...reach], pins: [...pins] }),
      bye(reason, message) {
        send({ type: 'bye', reason, message: message.slice(0, 1_000) });
        line.close(reason === 'replaced' ? CLOSE.replaced : CLOSE.stopping, reason);
      },
      close: (code, reason) => line.close(code, reason),
    },
  );
  return session;
}

type Unused =
  | { is: 'again'; lease: Lease; stream?: number }
  | { is: 'foreign'; lease: Lease; tell: boolean }
  | { is: 'ignored' }
  | { is: 'malformed'; state: string };

const WORDS = {
  pending: 'waiting to be approved',
  expired: 'the join string is used up or has expired',
  alternating: 'two processes use this name in turn',
  busy: 'too many connections',
  removed: 'the worker was removed',
} as const;

function pick({ build, token }: Lease): Lease {
  return { build, token };
}

/** The first thing that zod has against a message, short and without the message's own text. */
function complaint(error: ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown' : `${issue.path.join('.') || 'its type'}: ${issue.code}`;
}
