import type { PyModule } from './module.ts';
import { argumentOf, calleeName, textOf, type PyCall } from './values.ts';
import { settingOf, type Setting } from './written.ts';

/** What a `buildbot.tac` is for. */
export type StockTac =
  | { readonly kind: 'master'; readonly configFile: string | null }
  | { readonly kind: 'worker'; readonly worker: StockWorker }
  | { readonly kind: 'other' };

/** How a stock worker is told to connect. The password is never taken along. */
export interface StockWorker {
  readonly name: string | null;
  readonly host: Setting;
  readonly port: Setting;
  readonly connectionString: Setting;
  readonly proxyConnectionString: Setting;
  readonly useTls: Setting;
  readonly protocol: Setting;
  readonly keepalive: Setting;
}

/** Places of the arguments of `Worker(buildmaster_host, port, name, passwd, basedir, keepalive, …)`, in Buildbot 3 and 4. */
const PLACES: Readonly<Record<string, number>> = {
  buildmaster_host: 0,
  port: 1,
  name: 2,
  keepalive: 5,
  protocol: 12,
  useTls: 13,
  connection_string: 16,
  proxy_connection_string: 18,
};

/** Reads what is literal in a `buildbot.tac`. Pure. */
export function readTacFile(module: PyModule): StockTac {
  const named = (...names: string[]) => module.calls.findLast((call) => names.includes(calleeName(call)));
  const worker = named('Worker', 'BuildSlave', 'Buildslave');
  if (worker !== undefined) return { kind: 'worker', worker: workerOf(module, worker) };
  if (named('BuildMaster') === undefined) return { kind: 'other' };
  const file = module.names.get('configfile');
  return { kind: 'master', configFile: textOf(file) ?? null };
}

function workerOf(module: PyModule, call: PyCall): StockWorker {
  const of = (name: string): Setting => settingOf(module, argumentOf(call, name, PLACES[name]));
  const name = argumentOf(call, 'name', PLACES['name']);
  return {
    name: textOf(name) ?? null,
    host: of('buildmaster_host'),
    port: of('port'),
    connectionString: of('connection_string'),
    proxyConnectionString: of('proxy_connection_string'),
    useTls: of('useTls'),
    protocol: of('protocol'),
    keepalive: of('keepalive'),
  };
}
