/** One try at a build, as both sides name it: the build's id, and the token with the number of the try. */
export interface Lease {
  build: number;
  token: string;
}

/** Names a lease in a table of them. */
export function leaseKey({ build, token }: Lease): string {
  return `${build}/${token}`;
}

/** A log within a build. */
export function logKey(step: number, log: string): string {
  return `${step}/${log}`;
}
