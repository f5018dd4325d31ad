/**
 * The answers of the probes in `server.ts`, for the OpenAPI document. The probes answer before all other routes exist,
 * for whoever watches the process.
 */
import { z } from 'zod';
import type { Probe } from '../../node/readiness.ts';
import { STATUS } from './admin-shapes.ts';
import type { DescribedRoute, Method } from './route.ts';

const REASONS = z.array(z.string()).describe('why not; empty where it is');

function probe(
  path: string,
  name: Probe,
  summary: string,
  method: Method = 'GET',
  id: string = name,
): DescribedRoute {
  const yes = z.strictObject({ [name]: z.literal(true), reasons: REASONS });
  const no = z.strictObject({ [name]: z.literal(false), reasons: REASONS, detail: z.string() });
  return {
    ...{ method, path, id, summary, query: z.strictObject({}), body: null },
    answers: { 200: { description: 'Yes.', schema: yes }, 503: { description: 'No.', schema: no } },
  };
}

export const PROBE_FACTS: readonly DescribedRoute[] = [
  probe('/healthz', 'healthy', 'Does this process make progress? If not, end it and start it anew'),
  probe('/readyz', 'ready', 'Can this node serve?'),
  probe('/safe-to-stop', 'safe', 'Would stopping this node now cost neither service nor a replica?'),
  probe(
    '/safe-to-stop',
    'safe',
    'The same, for who is about to stop it: told yes, no other member is until this one is gone, or for a minute',
    'POST',
    'reserveStop',
  ),
  {
    ...{ method: 'GET', path: '/status', id: 'statusPage', summary: 'As /v1/admin/status' },
    ...{ query: z.strictObject({}), body: null },
    answers: { 200: { description: 'What this node is at.', schema: STATUS } },
  },
];
