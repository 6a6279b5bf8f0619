/**
 * A marker is a path of names, `worker/builder/3`, that every process of a step carries in its environment. A marker stands for itself and
 * all below it. Names hold no `:` and no NUL.
 */
export const MARKER_VARIABLE = 'BBX_BUILD';

/**
 * The variable's value for a step: a farm may run inside another farm's build, then its processes carry both markers and either
 * farm finds them.
 */
export function markerValue(marker: string, inherited: string | undefined): string {
  return inherited === undefined || inherited === '' ? marker : `${inherited}:${marker}`;
}

const VARIABLE = Buffer.from(`${MARKER_VARIABLE}=`);

/** Whether an environment as `/proc/PID/environ` has it (entries that end with NUL) carries `marker` or one below it. */
export function carriesMarker(environ: Buffer, marker: string): boolean {
  let at = environ.indexOf(VARIABLE);
  while (at !== -1 && at !== 0 && environ[at - 1] !== 0) at = environ.indexOf(VARIABLE, at + 1);
  if (at === -1) return false;
  const end = environ.indexOf(0, at);
  const value = environ.toString('utf8', at + VARIABLE.length, end === -1 ? environ.length : end);
  return value.split(':').some((name) => name === marker || name.startsWith(`${marker}/`));
}
