import { BbxError } from '../../base/error.ts';
import { printAddress } from '../../net/endpoint/address.ts';
import { parseListen, printListen, type ListenAddress } from '../../net/endpoint/listen-address.ts';
import type { MasterFacts } from '../directory.ts';
import type { ListenerSubject, SettingSubject, Subject } from '../subject.ts';

/** A listener that a person named, and its text as a setting; a text that cannot be read is a setting alone. */
export function givenListener(text: string, key: string): Subject[] {
  const setting: SettingSubject = { kind: 'setting', key, text, role: 'listen', source: 'command line' };
  const address = readListen(text);
  if (address === undefined || address.kind !== 'tcp') return [setting];
  return [
    setting,
    listenerOf(address, { plane: 'other', state: 'given', source: 'command line', reach: [], pins: [] }),
  ];
}

function readListen(text: string): ListenAddress | undefined {
  try {
    return parseListen(text, { defaultPort: 9989 });
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    return undefined;
  }
}

function listenerOf(
  address: Extract<ListenAddress, { kind: 'tcp' }>,
  rest: Pick<ListenerSubject, 'plane' | 'state' | 'source' | 'dir' | 'listed' | 'reach' | 'pins'>,
): ListenerSubject {
  return {
    kind: 'listener',
    text: printListen(address),
    hosts: address.host === 'localhost' ? ['::1', '127.0.0.1'] : [address.host],
    port: address.port,
    ...rest,
  };
}

/** Where a master listens, as its configuration says. */
export function listenersOf(master: MasterFacts): Subject[] {
  const { config } = master;
  if (config === undefined) return [];
  const state = master.running ? 'running' : 'stopped';
  const pins = master.pin === undefined ? [] : [master.pin];
  const of = (addresses: readonly ListenAddress[], plane: 'worker' | 'web') =>
    addresses.flatMap((address) =>
      // Of port 0 only the running master knows which it became.
      address.kind === 'tcp' && address.port !== 0
        ? [
            listenerOf(address, {
              plane,
              state,
              source: `${master.shown}/master configuration`,
              dir: master.shown,
              listed: addresses.map(printListen),
              reach: config.reach.map(printAddress),
              pins,
            }),
          ]
        : [],
    );
  return [...of(config.listen.workers, 'worker'), ...of(config.listen.web, 'web')];
}
