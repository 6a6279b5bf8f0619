import { literalIpv6, readDialled } from '../../../config/stock/endpoint-reading.ts';
import type { StockWorker } from '../../../config/stock/tac-file.ts';
import { isTrue, sureValue, type Setting, type Written } from '../../../config/stock/written.ts';
import { defineCheck, found, nothing, skip, type Draft, type Judgement } from '../../check.ts';
import type { StockWorkerSubject } from '../../stock-subject.ts';
import { changeOf, now, rewrite, sureText, topics, writtenEvidence } from './question.ts';

/** Such a worker's messages go over WebSocket. */
export function isMsgpack({ protocol }: StockWorker): boolean {
  return String(sureValue(protocol) ?? 'pb').startsWith('msgpack');
}

export const stk09 = defineCheck<'stock-worker', string>({
  id: 'STK-09',
  title: "a stock worker's TLS is given a name",
  about: 'stock-worker',
  topics,
  needs: [],
  gather: now,
  judge(at, subject): Judgement {
    const { worker } = subject;
    const string = sureText(worker.connectionString);
    const dialled = string === undefined ? undefined : readDialled(string.value);
    const host = sureText(worker.host);
    const wrong =
      dialled?.mistake?.id === 'STK-09'
        ? string
        : isTrue(worker.useTls) && literalIpv6(host?.value ?? '') !== undefined
          ? host
          : undefined;
    if (wrong === undefined) return nothing;
    return found({
      status: 'error',
      title:
        'TLS to an IPv6 address: Twisted takes the address for a name and refuses it, so this worker ends at its start',
      evidence: [writtenEvidence(subject, wrong, at)],
      fix: [
        {
          text: 'Write a name that has an AAAA record, the one that is in the certificate: with TLS, Buildbot tries both families of a name',
        },
      ],
    });
  },
});

export const stk10 = defineCheck<'stock-worker', string>({
  id: 'STK-10',
  title: "addresses of a stock worker's msgpack",
  about: 'stock-worker',
  topics,
  needs: [],
  gather: now,
  judge(at, subject): Judgement {
    const { worker } = subject;
    if (!isMsgpack(worker)) return skip('its protocol is pb');
    const host = sureText(worker.host);
    const string = sureText(worker.connectionString);
    const drafts: Draft[] = [];
    const add = (written: Written, title: string) =>
      drafts.push({
        status: 'error',
        title,
        evidence: [writtenEvidence(subject, written, at)],
        fix: [
          {
            text: "Write a name that has an A record; or protocol = 'pb', which takes an IPv6 address as it is",
          },
        ],
      });
    if (host !== undefined && literalIpv6(host.value) !== undefined)
      add(host, 'msgpack makes a URL of an IPv6 address without brackets, so this worker ends at its start');
    if (string !== undefined)
      add(
        string,
        /^wss?:\/\//i.test(string.value)
          ? 'msgpack hands a URL to Twisted as an endpoint string, which it is not: this worker ends at its start'
          : 'msgpack reads the connection string as a URL, which it is not: this worker ends at its start',
      );
    return found(...drafts);
  },
});

export const stk11 = defineCheck<'stock-worker', string>({
  id: 'STK-11',
  title: 'a stock worker is told once where its master is',
  about: 'stock-worker',
  topics,
  needs: [],
  gather: now,
  judge(at, subject): Judgement {
    const { host, port, connectionString, proxyConnectionString } = subject.worker;
    const string = set(connectionString);
    if (string === undefined) return nothing;
    const other = [set(host), set(port)].find((one) => one !== undefined);
    const proxy = set(proxyConnectionString);
    const wrong = other ?? proxy;
    if (wrong === undefined) return nothing;
    return found({
      status: 'error',
      title:
        other === undefined
          ? 'proxy_connection_string stands beside connection_string: Buildbot wants host and port behind a proxy, and this worker ends at its start'
          : 'buildmaster_host or port stands beside connection_string: Buildbot takes one or the other, and this worker ends at its start',
      evidence: [writtenEvidence(subject, string, at), writtenEvidence(subject, wrong, at)],
      fix:
        other === undefined
          ? [{ text: 'Write buildmaster_host and port, and connection_string = None' }]
          : [
              {
                text: 'Write buildmaster_host = None and port = None, or leave connection_string out',
                ...allNone(subject, [set(host), set(port)]),
              },
            ],
    });
  },
});

/** Several values of one file, each made None. */
function allNone(subject: StockWorkerSubject, values: readonly (Written | undefined)[]) {
  const edits = values.flatMap((written) => {
    const change = written === undefined ? undefined : rewrite(subject, written, null).change;
    return change !== undefined && 'edits' in change ? change.edits : [];
  });
  if (edits.length < values.filter((value) => value !== undefined).length) return {};
  return { change: { ...changeOf(subject), edits } };
}

/** A value that is there and not None. */
function set(setting: Setting): Written | undefined {
  const [written] = setting.written;
  return setting.sure && written?.value !== null ? written : undefined;
}

/** NAT boxes and firewalls forget quiet connections after 5 to 30 minutes; this is inside what all of them keep. */
const GOOD_KEEPALIVE_S = 60;

export const stk12 = defineCheck<'stock-worker', string>({
  id: 'STK-12',
  title: "a stock worker's keepalive",
  about: 'stock-worker',
  topics,
  needs: [],
  gather: now,
  judge(at, subject): Judgement {
    const { keepalive } = subject.worker;
    const [written] = keepalive.written;
    if (!keepalive.sure || written === undefined) return skip('it is not written out');
    const none = written.value === null || written.value === 0;
    if (!none && Number(written.value) < 300) return nothing;
    return found({
      status: none ? 'warn' : 'info',
      title: none
        ? 'keepalive is switched off: a link that a NAT box or a firewall has forgotten is noticed only when a build is lost'
        : `keepalive comes every ${Number(written.value)} s; many NAT boxes forget a quiet link sooner`,
      evidence: [writtenEvidence(subject, written, at)],
      fix: [rewrite(subject, written, GOOD_KEEPALIVE_S)],
    });
  },
});
