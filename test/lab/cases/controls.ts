import { PLANS, type Plan, type Recipe } from '../stage/recipe.ts';
import type { LabCase } from './case.ts';

/** How a farm's worker is told to get to its master under a plan. */
const WAYS: Record<Plan, { words: readonly string[]; recipe?: Recipe; verdict?: LabCase['verdict'] }> = {
  dual: { words: ['dual.test:9989'] },
  v4: { words: ['dual.test:9989'] },
  v6: { words: ['dual.test:9989'] },
  // Its A record is out of reach from there, which is no fault and yet not the whole.
  nat64: { words: ['dual.test:9989'], verdict: 'degraded' },
  ula: { words: ['dual.test:9989'] },
  'connect-proxy': { words: ['dual.test:9989', '--via', 'http://11.0.1.1:3128'] },
  tunnel: {
    words: ['localhost:7000'],
    recipe: {
      listeners: {
        W: ['127.0.0.1', '::1'].map((host) => ({ host, port: 7000, does: { forwards: '11.0.2.2:9989' } })),
      },
    },
  },
  container: { words: ['dual.test:9989'] },
};

/** Nothing is wrong under any plan: the host alone, a healthy master, and a port to listen on. */
export const CONTROLS: readonly LabCase[] = PLANS.flatMap((plan): LabCase[] => {
  const { words, recipe = {}, verdict = 'reachable' } = WAYS[plan];
  return [
    { id: `C-${plan}-host`, title: `${plan}: the host alone`, recipe: { plan }, doctor: [], root: [] },
    {
      id: plan === 'dual' ? 'F00' : `C-${plan}-reach`,
      title: `${plan}: a healthy master`,
      recipe: { plan, master: { listen: '[::]:9989' }, ...recipe },
      doctor: ['reach', ...words],
      root: [],
      verdict,
      ...(words.length === 1 ? { target: words[0] ?? '' } : {}),
    },
    {
      id: `C-${plan}-listen`,
      title: `${plan}: a free port to listen on`,
      recipe: { plan },
      // Who asks for [::] by name insists on IPv6.
      doctor: ['listen', plan === 'v4' ? '0.0.0.0:9989' : '[::]:9989'],
      root: [],
    },
  ];
});
