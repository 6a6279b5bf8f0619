/** A master's directory, with what is given in place of the usual. */
export const masterYaml = (given: Partial<Record<'workers' | 'web' | 'store' | 'more', string>> = {}) => ({
  'master.yaml': [
    `listen: { workers: "${given.workers ?? '[::]:9989'}", web: "${given.web ?? 'localhost:8010'}" }`,
    `store: ${given.store ?? 'sqlite:state.sqlite'}`,
    given.more ?? '',
    '',
  ].join('\n'),
});
export const workerYaml = { 'worker.yaml': 'name: w1\nmaster: "dual.test:9989"\n' };

/** Words before the doctor's: shell first, in whose directory it is then started. */
export const shell = (line: string) => ['sh', '-c', `${line}; exec "$0" "$@"`];
