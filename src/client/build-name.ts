/** What a BUILD of the command line names: a request, or a build in the words that the API's paths take. */
export type BuildName = { kind: 'request'; id: string } | { kind: 'build'; build: string };

/** Reads `r17`, `builder/12`, `4711` or `builder`; undefined for an empty text and a number that is none. */
export function parseBuildName(text: string): BuildName | undefined {
  const request = /^r(\d+)$/.exec(text);
  if (request?.[1] !== undefined) return { kind: 'request', id: request[1] };
  const [, builder, number] = /^(.*)\/([^/]*)$/s.exec(text) ?? [];
  if (text === '' || builder === '') return undefined;
  if (number !== undefined && !/^[1-9]\d*$/.test(number)) return undefined;
  return { kind: 'build', build: text };
}
