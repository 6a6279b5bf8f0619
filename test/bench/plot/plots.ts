/** A picture of one or more curves; a curve that was measured on several stores is a line for each. */
export interface Wanted {
  /** The file's name less `.svg`, and that of the place in `docs/performance.md`. */
  name: string;
  title: string;
  /** Curves with what their lines are called; undefined: after their store. */
  curves: readonly { curve: string; as?: string }[];
  levels?: readonly { name: string; level: number }[];
}

export const plots: readonly Wanted[] = [
  {
    name: 'builds-over-slots',
    title: 'Builds a second over the slots of one worker',
    curves: [{ curve: 'builds a second over slots' }],
  },
  {
    name: 'master-over-slots',
    title: 'What a build costs the master, over the slots of one worker',
    curves: [{ curve: 'processor time of the master over slots' }],
  },
  {
    name: 'builds-over-workers',
    title: 'Builds a second over workers of one slot',
    curves: [{ curve: 'builds a second over workers' }],
  },
  {
    name: 'master-over-workers',
    title: 'What a build costs the master, over workers of one slot',
    curves: [{ curve: 'processor time of the master over workers' }],
  },
  {
    name: 'dispatch-over-queue',
    title: 'A build while others wait',
    curves: [
      { curve: 'a forced build of `true`, over waiting requests', as: 'request → finished' },
      { curve: 'submitting a request, over waiting requests', as: 'submitting a request' },
    ],
  },
  {
    name: 'logs-over-steps',
    title: 'Log bytes a second over steps that print at once',
    curves: [{ curve: 'log rate over steps at once' }],
  },
  {
    name: 'memory-over-log-size',
    title: 'The most memory over the size of one log',
    curves: [
      { curve: 'memory of the master over log size', as: 'master' },
      { curve: 'memory of the worker over log size', as: 'worker' },
    ],
    levels: [{ name: 'limit of the master: 150 MB', level: 150 }],
  },
  {
    name: 'memory-over-workers',
    title: 'Memory in the master for each idle worker',
    curves: [{ curve: 'memory over workers' }],
  },
  {
    name: 'return-over-workers',
    title: 'All workers attached again after the master was away for 10 s',
    curves: [{ curve: 'return over workers' }],
    levels: [{ name: '1,000 workers: at most 5 s', level: 5 }],
  },
  {
    name: 'memory-over-history',
    title: 'Memory of the master over builds in the store',
    curves: [{ curve: 'memory of the master over history' }],
  },
  {
    name: 'answers-over-history',
    title: 'Time to answer over builds in the store',
    curves: [
      { curve: 'build list, over history', as: '`build list`' },
      { curve: 'status, over history', as: '`status`' },
      { curve: 'why BUILD, over history', as: '`why`' },
    ],
  },
];
