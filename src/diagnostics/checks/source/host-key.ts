import { createHash } from 'node:crypto';
import { defineCheck, found, nothing, skip, type Draft, type Judgement } from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { HostKey, HostKeyFact } from '../../facts/sources.ts';
import { topics } from './question.ts';

export const src04 = defineCheck<'source', HostKeyFact | undefined>({
  id: 'SRC-04',
  title: "the ssh server's key is known",
  about: 'source',
  topics,
  needs: ['SRC-01'],
  gather: (context, source) => context.probes.hostKeys(source),
  judge: judgeHostKey,
});

/** With these, ssh takes a key that it does not know without a question. */
const TAKES_NEW = new Set(['accept-new', 'no', 'off', 'false']);
const TAKES_ANY = new Set(['no', 'off', 'false']);

function judgeHostKey(fact: HostKeyFact | undefined): Judgement {
  if (fact === undefined) return skip('it is not fetched over ssh');
  const { known, shown, strict, name, scanned, because } = fact;
  if (because !== null) return skip(because);
  if (shown.length === 0) return skip('no key was shown');
  if (TAKES_ANY.has(strict)) return skip(`ssh is told to take any key (StrictHostKeyChecking ${strict})`);
  const same = (one: HostKey, other: HostKey) => one.type === other.type && one.key === other.key;
  if (shown.some((one) => known.some((other) => same(one, other)))) return nothing;
  const changed = known.filter((one) => shown.some(({ type }) => type === one.type));
  if (changed.length === 0 && TAKES_NEW.has(strict)) return nothing;
  const scan = `ssh-keyscan -p ${scanned.port} ${pasted(scanned.host)}`;
  const draft: Pick<Draft, 'title' | 'fix'> =
    changed.length > 0
      ? {
          title: `The ssh key of ${name} is another than the one that is known: git refuses to speak to it`,
          fix: [
            {
              text: 'Ask who runs that server whether its key was changed; somebody else may stand in its place. If so, forget the old one, and take the new one when its fingerprint is right',
              commands: [`ssh-keygen -R ${pasted(name)}`, `${scan} | ssh-keygen -lf -`],
            },
          ],
        }
      : {
          title: `The ssh key of ${name} is not known here: git, which cannot ask, refuses to speak to it`,
          fix: [
            {
              text: "Compare the fingerprint with what its operator says, then write the key down, for the worker's own user as well",
              commands: [`${scan} | ssh-keygen -lf -`, `${scan} >> ~/.ssh/known_hosts`],
            },
          ],
        };
  return found({ status: 'error', evidence: evidenceOf(fact), ...draft });
}

function evidenceOf({ at, name, files, known, shown, strict }: HostKeyFact) {
  return [
    evidence('peer', `ssh keys of ${name}`, shown.map(print).join(', '), at),
    evidence('file', `known for ${name} in ${files.join(', ')}`, known.map(print).join(', ') || 'none', at),
    evidence('cmd', `ssh -G: StrictHostKeyChecking`, strict, at),
  ];
}

/** As `ssh-keygen -l` has it. */
function print({ type, key }: HostKey): string {
  const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64');
  return `${type} SHA256:${digest.replace(/=+$/, '')}`;
}
