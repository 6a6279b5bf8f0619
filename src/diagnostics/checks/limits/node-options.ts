import { defineCheck, found, type Draft, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { NodeOption } from '../../facts/policy.ts';
import { processes, topics } from './question.ts';

interface Options {
  readonly at: string;
  readonly options: readonly NodeOption[];
}

export const lim07 = defineCheck<'host', Options>({
  id: 'LIM-07',
  title: 'no option of Node that breaks connections',
  about: 'host',
  topics: [...topics, 'ipv6', 'tls'],
  needs: [],
  async gather(context) {
    const [policy, seen] = await Promise.all([context.probes.policy(), processes(context)]);
    const all = [...policy.node, ...seen.flatMap(({ node }) => node)];
    const options = all.filter(
      (one, at) => all.findIndex(({ text, where }) => text === one.text && where === one.where) === at,
    );
    return { at: new Date().toISOString(), options };
  },
  judge: judgeOptions,
});

function judgeOptions({ at, options }: Options): Judgement {
  const of = (fits: (text: string) => boolean) => options.filter(({ text }) => fits(text));
  const draft = (found: readonly NodeOption[], rest: Pick<Draft, 'title' | 'fix'>): Draft[] =>
    found.length === 0
      ? []
      : [
          {
            status: 'warn',
            evidence: found.map(({ text, where }) => evidence('proc', `options of Node, ${where}`, text, at)),
            ...rest,
          },
        ];
  const where = (found: readonly NodeOption[]) => [...new Set(found.map((one) => one.where))].join(' and ');
  const unchecked = of((text) => text === 'NODE_TLS_REJECT_UNAUTHORIZED=0');
  const one = of((text) => /^--no-(enable-)?network-family-autoselection$/.test(text));
  const hasty = of((text) => Number(/attempt-timeout=(\d+)$/.exec(text)?.[1] ?? 250) < 250);
  return found(
    ...draft(unchecked, {
      title: `Certificates are not checked by programs of Node (NODE_TLS_REJECT_UNAUTHORIZED=0, ${where(unchecked)})`,
      fix: [
        {
          text: "Take it out, and name the authority's certificate in NODE_EXTRA_CA_CERTS",
          commands: ['unset NODE_TLS_REJECT_UNAUTHORIZED'],
        },
      ],
    }),
    ...draft(one, {
      title: `Programs of Node try the first address of a name alone (${where(one)}): where one family is dead they fail (bbx itself tries all)`,
      fix: [{ text: 'Take --no-network-family-autoselection out of NODE_OPTIONS' }],
    }),
    ...draft(hasty, {
      title: `Programs of Node give each address less than 250 ms (${where(hasty)}): slow but good ones are left out (bbx itself waits)`,
      fix: [{ text: 'Take --network-family-autoselection-attempt-timeout out of NODE_OPTIONS, or raise it' }],
    }),
  );
}
