import { z } from 'zod';
import { masterSchema } from './schema/master.ts';
import { workerSchema } from './schema/worker.ts';

/** The JSON Schema (2020-12) of what people write in `master.yaml` or `worker.yaml`, for editors. */
export function jsonSchema(role: 'master' | 'worker'): object {
  const schema = z.toJSONSchema(role === 'master' ? masterSchema : workerSchema, {
    io: 'input',
    unrepresentable: 'any',
  });
  return { ...schema, title: `bbx ${role}.yaml` };
}
