import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { jsonSchema } from '../src/config/json-schema.ts';

/**
 * The types of the published package, whole in themselves: an editor that reads a `master.config.ts` finds neither our sources nor our
 * libraries beside them. Made from the schema that checks configurations, so the two cannot differ; the exports are those of
 * `src/index.ts`.
 */
export async function packageTypes(): Promise<string> {
  const schema = { ...jsonSchema('master'), title: 'WrittenMaster' } as JSONSchema;
  const written = await compile(schema, 'WrittenMaster', {
    bannerComment: '/** What a `master.config.ts` gives; every key is on the page docs/configuration.md. */',
    // Lists are often computed (`names.map(…)`), and then nothing knows that they are not empty; the check says it.
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 110 },
  });
  return [
    written.trim(),
    '',
    '/** For `master.config.ts`: gives the configuration back as it is, and its types to the editor. */',
    'export declare function defineMaster(config: WrittenMaster): WrittenMaster;',
    '',
  ].join('\n');
}
