import { isIP } from 'node:net';
import { readDialled, readListener } from '../../config/stock/endpoint-reading.ts';
import type { StockListener } from '../../config/stock/master-file.ts';
import type { StockWorker } from '../../config/stock/tac-file.ts';
import { isTrue, sureValue } from '../../config/stock/written.ts';
import { printHostPort } from '../../net/endpoint/host.ts';
import type { StockFacts, StockFile, StockMasterFile, StockWorkerFile } from '../facts/stock.ts';
import {
  chatSubject,
  mailSubject,
  statusSubject,
  type ChatSubject,
  type MailSubject,
  type StatusSubject,
} from '../far-subjects.ts';
import { pasted } from '../evidence.ts';
import type { StockEndpointSubject } from '../stock-subject.ts';
import type { ListenerSubject, SettingSubject, Subject, TargetSubject } from '../subject.ts';
import { placeOfService } from '../place-target.ts';
import { distinct } from './targets.ts';

/** What stock Buildbot's files give to look at: the values themselves. */
export function stockSubjects(stock: StockFacts, reach: readonly string[] = []): Subject[] {
  return [
    ...stock.troubles.map((trouble): SettingSubject => ({
      kind: 'setting',
      key: 'Buildbot',
      text: '',
      role: 'connect',
      source: trouble.line === null ? trouble.shown : `${trouble.shown}:${trouble.line}`,
      problem: trouble.problem,
      recheck: `bbx doctor config ${pasted(trouble.shown)}`,
    })),
    ...stock.masters.flatMap((file): Subject[] => [
      {
        kind: 'stock-master',
        ...fileOf(file),
        master: file.master,
        reach,
        ...(file.run === undefined ? {} : { run: file.run }),
      },
      ...file.master.listeners.flatMap((listener) => endpointsOf(file, listener)),
      ...servicesOf(file),
      ...(file.master.protocolsUnknown === null ? [] : [noProtocols(file, file.master.protocolsUnknown)]),
    ]),
    ...stock.workers.flatMap((file): Subject[] => [
      { kind: 'stock-worker', ...fileOf(file), worker: file.worker },
      ...clientEndpoints(file),
    ]),
  ];
}

/** Mail servers and web services that masters tell of builds, and their hosts. */
export function stockServices(stock: StockFacts): Subject[] {
  const services = stock.masters.flatMap(servicesOf);
  return [...services, ...distinct(services.map(placeOfService))];
}

/** Where they listen and connect, to be measured. */
export function stockPlaces(stock: StockFacts): Subject[] {
  return [
    ...stock.masters.flatMap(listenersOf),
    ...stock.workers.flatMap(targetOf),
    ...distinct(stock.masters.flatMap((file) => servicesOf(file).map(placeOfService))),
  ];
}

function fileOf({ file, shown, named, covered }: StockFile): StockFile {
  return { file, shown, named, covered };
}

function endpointsOf(file: StockMasterFile, { key, way, setting }: StockListener): StockEndpointSubject[] {
  const rest = { kind: 'stock-endpoint', ...fileOf(file), key, way, pid: file.pid } as const;
  return [
    ...setting.written.map((written): StockEndpointSubject => {
      const text = typeof written.value === 'string' ? written.value : '';
      const { server } = readListener(text, way);
      const own =
        server?.kind === 'ssl'
          ? [server.files.get('privateKey') ?? 'server.pem', ...server.files.values()]
          : [];
      return {
        ...rest,
        written,
        unknown: undefined,
        missing: file.missing.filter((one) => own.includes(one)),
      };
    }),
    ...setting.unknown.map((unknown) => ({ ...rest, written: undefined, unknown, missing: [] })),
  ];
}

/** Mail servers and web services that the master tells of builds. Mail goes through Twisted's plain TCP; the others try both families. */
function servicesOf({ master, shown }: StockMasterFile): (MailSubject | StatusSubject | ChatSubject)[] {
  return master.outgoing.flatMap(
    ({
      plane,
      setting,
      standard,
      port,
      mail,
      secure = false,
    }): (MailSubject | StatusSubject | ChatSubject)[] => {
      const isUnset = setting.written.length + setting.unknown.length === 0;
      const text = isUnset ? standard : sureValue(setting);
      if (typeof text !== 'string' || text === '') return [];
      if (plane === 'mail' || plane === 'chat') {
        const host = text.replace(/^\[(.*)\]$/, '$1');
        if (/[\s:]/.test(host) && isIP(host) === 0) return [];
        return plane === 'mail'
          ? [mailSubject({ host, port: port ?? 25, source: shown, client: 'twisted', ...mail })]
          : [chatSubject({ host, port: port ?? 6_667, secure, source: shown })];
      }
      const status =
        plane === 'status' ? statusSubject(text, { source: shown, client: 'twisted' }) : undefined;
      return status === undefined ? [] : [status];
    },
  );
}

function noProtocols(file: StockMasterFile, why: string): StockEndpointSubject {
  return {
    kind: 'stock-endpoint',
    ...fileOf(file),
    key: "c['protocols']",
    way: 'pb',
    written: undefined,
    unknown: { why, line: 1, column: 1 },
    pid: file.pid,
    missing: [],
  };
}

function clientEndpoints(file: StockWorkerFile): StockEndpointSubject[] {
  const { connectionString, proxyConnectionString, protocol } = file.worker;
  // What msgpack makes of it is a matter of its own (STK-10).
  if (String(sureValue(protocol) ?? 'pb').startsWith('msgpack')) return [];
  const of = (key: string, setting: StockWorker['connectionString']) =>
    endpointsOf({ ...file, missing: [], master: NO_MASTER }, { key, way: 'pb', setting }).map(
      (subject): StockEndpointSubject => ({ ...subject, way: 'client', missing: [] }),
    );
  return [
    ...of('connection_string', connectionString),
    ...of('proxy_connection_string', proxyConnectionString),
  ].filter(({ written, unknown }) => typeof written?.value === 'string' || unknown !== undefined);
}

function listenersOf(file: StockMasterFile): ListenerSubject[] {
  return file.master.listeners.flatMap(({ setting, way }) => {
    const value = sureValue(setting);
    if (typeof value !== 'string' && typeof value !== 'number') return [];
    const { binding, port } = readListener(value, way);
    if (binding === null || port === null || port === 0 || port > 65_535 || binding.kind === 'name')
      return [];
    const host = binding.kind === 'both' ? '::' : binding.kind === 'all-ipv4' ? '0.0.0.0' : binding.address;
    return [
      {
        kind: 'listener',
        text: printHostPort(host, port),
        plane: way === 'web' ? 'web' : 'worker',
        hosts: [host],
        port,
        state: file.pid === null ? 'stopped' : 'running',
        reach: [],
        pins: [],
        source: file.shown,
      } satisfies ListenerSubject,
    ];
  });
}

function targetOf(file: StockWorkerFile): TargetSubject[] {
  const { worker } = file;
  const string = sureValue(worker.connectionString);
  const client = typeof string === 'string' ? readDialled(string).client : undefined;
  const own = { host: sureValue(worker.host), port: sureValue(worker.port), kind: '' };
  const { host, port, kind } = client !== undefined && 'host' in client ? client : own;
  if (typeof host !== 'string' || typeof port !== 'number' || port < 1 || port > 65_535) return [];
  // Through a proxy it is the proxy that looks the name up.
  if (typeof sureValue(worker.proxyConnectionString) === 'string' || /[[\]\s]/.test(host) || host === '')
    return [];
  const secured = kind === 'tls' || kind === 'ssl' || isTrue(worker.useTls);
  const msgpack = String(sureValue(worker.protocol) ?? 'pb').startsWith('msgpack');
  if (secured && isIP(host) === 6) return [];
  return [
    {
      kind: 'target',
      text: printHostPort(host, port),
      host,
      port,
      protocol: secured ? 'tls' : msgpack ? 'msgpack' : 'pb',
      plane: 'worker',
      pins: [],
      source: file.shown,
    },
  ];
}

const NO_MASTER: StockMasterFile['master'] = {
  listeners: [],
  buildbotUrl: { written: [], unknown: [], sure: false },
  workers: [],
  openWorkers: false,
  outgoing: [],
  protocolsUnknown: null,
};
