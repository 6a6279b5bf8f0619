import type { PyModule } from './module.ts';
import { outgoingOf, type StockOutgoing } from './outgoing.ts';
import { settingOf, type Setting } from './written.ts';
import { alternatives, argumentOf, calleeName, entryOf, type PyValue } from './values.ts';

/** What a stock master's configuration says of the network. */
export interface StockMaster {
  readonly listeners: readonly StockListener[];
  readonly buildbotUrl: Setting;
  readonly workers: readonly string[];
  /** More workers than these may be configured. */
  readonly openWorkers: boolean;
  readonly outgoing: readonly StockOutgoing[];
  /** `c['protocols']` is not there, or not a dict that can be read. */
  readonly protocolsUnknown: string | null;
}

/** Somewhere that the master listens. */
export interface StockListener {
  /** `c['protocols']['pb']['port']`. */
  readonly key: string;
  /** Workers' protocols and what shares their ports (`pb`, `msgpack`), or the web server. */
  readonly way: 'pb' | 'msgpack' | 'web';
  readonly setting: Setting;
}

/** Classes that listen for clients on a port like a worker's, with the place of their `port`. */
const LISTENING_CALLS = new Map([
  ['PBChangeSource', 2],
  ['Try_Userpass', 2],
]);

/** Reads what is literal in a `master.cfg`. Pure. */
export function readMasterFile(module: PyModule): StockMaster {
  const config = module.names.get('BuildmasterConfig') ?? module.names.get('c');
  const protocols = entryOf(config, 'protocols');
  const listeners: StockListener[] = [];
  let hasDict = false;
  for (const dict of alternatives(protocols)) {
    if (dict.kind !== 'dict') continue;
    hasDict = true;
    for (const [protocol, options] of dict.entries) {
      listeners.push({
        key: `c['protocols']['${protocol}']['port']`,
        way: String(protocol).startsWith('msgpack') ? 'msgpack' : 'pb',
        setting: settingOf(module, entryOf(options, 'port') ?? unknownOptions(options)),
      });
    }
  }
  const old = entryOf(config, 'slavePortnum');
  if (old !== undefined)
    listeners.push({ key: "c['slavePortnum']", way: 'pb', setting: settingOf(module, old) });
  listeners.push(...listeningCalls(module));
  const www = entryOf(config, 'www');
  const webPort = entryOf(www, 'port');
  if (webPort !== undefined)
    listeners.push({ key: "c['www']['port']", way: 'web', setting: settingOf(module, webPort) });
  const workers = [entryOf(config, 'workers'), entryOf(config, 'slaves')].flatMap(alternatives);
  return {
    listeners,
    buildbotUrl: settingOf(module, entryOf(config, 'buildbotURL')),
    workers: workers.flatMap((list) => (list.kind === 'list' ? list.items.flatMap(workerName) : [])),
    openWorkers: workers.some(
      (list) => list.kind !== 'list' || list.open || list.items.some((item) => workerName(item).length === 0),
    ),
    outgoing: module.calls.flatMap((call) => outgoingOf(module, call)),
    protocolsUnknown: hasDict || old !== undefined ? null : whyNoProtocols(config, protocols),
  };
}

function whyNoProtocols(config: PyValue | undefined, protocols: PyValue | undefined): string {
  if (config === undefined) return 'BuildmasterConfig is not set in this file';
  if (protocols?.kind === 'unknown') return protocols.why;
  return "c['protocols'] is not set in this file";
}

function unknownOptions(options: PyValue): PyValue | undefined {
  return options.kind === 'unknown' || options.kind === 'call' ? options : undefined;
}

function listeningCalls(module: PyModule): StockListener[] {
  return module.calls.flatMap((call): StockListener[] => {
    const name = calleeName(call);
    const place = LISTENING_CALLS.get(name);
    if (place === undefined) return [];
    const port = argumentOf(call, 'port', place);
    // A PBChangeSource without a port of its own shares the workers'.
    if (port === undefined || (port.kind === 'constant' && port.value === null)) return [];
    return [{ key: `${name}(port=…)`, way: 'pb', setting: settingOf(module, port) }];
  });
}

function workerName(value: PyValue): string[] {
  if (value.kind !== 'call') return [];
  const name = argumentOf(value, 'name', 0);
  return name?.kind === 'string' ? [name.value] : [];
}
