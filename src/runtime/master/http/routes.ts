import type { FastifyInstance } from 'fastify';
import type * as z from 'zod';
import {
  routes,
  type AnswerOf,
  type ParamsOf,
  type Route,
  type RouteName,
  type SchemaOf,
} from '../../../api/routes.ts';
import { codes } from '../codes.ts';

type Checked<Name extends RouteName, Part extends 'query' | 'body'> = [SchemaOf<Name, Part>] extends [never]
  ? undefined
  : z.output<SchemaOf<Name, Part>>;

/** One call, checked by its row of the table. */
export interface Call<Name extends RouteName> {
  params: Record<ParamsOf<Name>, string>;
  query: Checked<Name, 'query'>;
  body: Checked<Name, 'body'>;
}

/** What answers each route; a route without a handler does not compile. */
export type Handlers = { readonly [Name in RouteName]: (call: Call<Name>) => Promise<AnswerOf<Name>> };

/** Longest word in a path: a branch or a percent-encoded BUILD is far shorter. */
const MAX_PARAM_CHARACTERS = 1_000;

/** Registers every row of `src/api/routes.ts`; what goes in and what comes out is checked by the row's own schemas. */
export function registerRoutes(app: FastifyInstance, handlers: Handlers): void {
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name];
    const handle = handlers[name] as (call: unknown) => Promise<unknown>;
    app.route({
      method: route.method,
      url: route.path,
      handler: async (request, reply) => {
        const where = { method: route.method, path: route.path };
        const call = {
          params: checkedParams(request.params as Record<string, string>, where),
          query: checked(route.query, request.query ?? {}, 'query', where),
          body: checked(route.body, request.body ?? {}, 'body', where),
        };
        const answer = route.answer.parse(await handle(call));
        return reply.send(answer);
      },
    });
  }
}

interface Where {
  method: string;
  path: string;
}

function checkedParams(params: Record<string, string>, where: Where): Record<string, string> {
  for (const [name, value] of Object.entries(params)) {
    if (value === '' || value.length > MAX_PARAM_CHARACTERS) {
      const problem = `":${name}" must have 1 to ${MAX_PARAM_CHARACTERS} characters`;
      throw codes['BBX-API-BAD-REQUEST']({ ...where, problem });
    }
  }
  return params;
}

function checked(schema: z.ZodType | undefined, value: unknown, part: string, where: Where): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problem = result.error.issues
    .slice(0, 5)
    .map((issue) => `${[part, ...issue.path].join('.')}: ${issue.message}`)
    .join('; ');
  throw codes['BBX-API-BAD-REQUEST']({ ...where, problem });
}
