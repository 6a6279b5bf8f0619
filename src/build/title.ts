/** How people name a build: `app/12`. */
export function buildTitle({
  builder,
  number,
}: {
  readonly builder: string;
  readonly number: number;
}): string {
  return `${builder}/${number}`;
}
