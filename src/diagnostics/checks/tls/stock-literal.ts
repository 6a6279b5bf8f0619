import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { gather, topics, type Looked } from './question.ts';

export const tls11 = defineCheck<'target', Looked>({
  id: 'TLS-11',
  title: 'TLS and an IPv6 address in a stock worker',
  about: 'target',
  topics,
  needs: [],
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    if (familyOf(target.host) !== 6) return nothing;
    const stock = target.protocol === 'pb' || target.protocol === 'msgpack';
    return found({
      status: stock ? 'error' : 'info',
      title: `A stock Buildbot worker cannot connect to ${target.text} with TLS: Twisted's "tls:" takes no IPv6 address, only a name`,
      evidence: [evidence('file', target.source, target.text, looked.facts.at)],
      fix: [{ text: 'Give it a name with an AAAA record: connection_string = r"tls:NAME:PORT"' }],
    });
  },
});
