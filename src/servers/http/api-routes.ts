/** All routes for programs: everything below `/v1`, and the OpenAPI document that describes it. */
import { z } from 'zod';
import type { Hono } from 'hono';
import type { NodeApi } from '../../node/api.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { adminRoutes } from './admin-routes.ts';
import type { LogLevels } from './admin-routes.ts';
import { batchRoute } from './kv-batch.ts';
import { listRoute } from './kv-list.ts';
import { keyRoutes } from './kv-one.ts';
import { PROBE_FACTS } from './probe-facts.ts';
import { Room } from './room.ts';
import { openApiDocument } from './openapi.ts';
import { mountRoutes, route } from './route.ts';
import type { Route } from './route.ts';

export interface ApiOptions {
  readonly valueBytesMax: number;
  readonly log: LogLevels;
  /** If omitted or null, nothing is traced. */
  readonly tracing?: Tracing | null;
}

/** All API routes, including the one for the OpenAPI document. */
function apiRoutes(api: NodeApi, room: Room, { valueBytesMax, log }: ApiOptions): Route[] {
  // Built on first use: building takes about 30 ms, and most nodes are never asked for it.
  let document: ReturnType<typeof openApiDocument> | undefined;
  const table: Route[] = [
    ...keyRoutes(api, valueBytesMax),
    batchRoute(api, valueBytesMax),
    listRoute(api, room),
    ...adminRoutes(api, log),
    route({
      method: 'GET',
      path: '/openapi.json',
      id: 'describe',
      summary: 'This description',
      answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({ openapi: z.string() }) } },
      handle: () => {
        document ??= openApiDocument([...table, ...PROBE_FACTS]);
        return Promise.resolve({ status: 200, json: document });
      },
    }),
  ];
  return table;
}

export function mountApi(routes: Hono, api: NodeApi, options: ApiOptions): void {
  const room = new Room();
  mountRoutes(routes, room, apiRoutes(api, room, options), options.tracing ?? null);
}
