import { literalIpv6 } from '../../../config/stock/endpoint-reading.ts';
import { defineCheck, found, nothing, skip } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { now, rewrite, sureText, topics, writtenEvidence } from '../stock/question.ts';
import { isMsgpack } from '../stock/worker-settings.ts';

export const prx04 = defineCheck<'stock-worker', string>({
  id: 'PRX-04',
  title: "an IPv6 address behind a stock worker's proxy has brackets",
  about: 'stock-worker',
  topics,
  needs: ['STK-11'],
  gather: now,
  judge(at, subject) {
    const { worker } = subject;
    const proxy = sureText(worker.proxyConnectionString);
    if (proxy === undefined || isMsgpack(worker)) return skip('it dials its master without a proxy');
    const host = sureText(worker.host);
    const address = literalIpv6(host?.value ?? '');
    if (host === undefined || address === undefined || host.value.startsWith('[')) return nothing;
    return found({
      status: 'warn',
      title: `Buildbot asks its proxy for "${address}" without brackets: some proxies guess where the port begins (tinyproxy), others refuse`,
      evidence: [
        writtenEvidence(subject, host, at),
        writtenEvidence(subject, proxy, at),
        evidence('file', 'what Buildbot sends to the proxy', `CONNECT ${address}:PORT HTTP/1.1`, at),
      ],
      fix: [
        rewrite(subject, host, `[${address}]`, 'with brackets, which belong there behind a proxy alone'),
        { text: 'Or write a name: the proxy looks it up' },
      ],
    });
  },
});
