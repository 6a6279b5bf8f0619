/**
 * The JSON Schema of `master.yaml` or `worker.yaml` as the text of its file. It is the same in every run, so a built bbx has the texts in the place
 * of this file (`tools/build.ts`), and `create-master` needs no zod.
 */
export async function schemaText(role: 'master' | 'worker'): Promise<string> {
  const { jsonSchema } = await import('./json-schema.ts');
  return `${JSON.stringify(jsonSchema(role), null, 2)}\n`;
}
