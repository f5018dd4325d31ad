/** The only request that a pod makes to its API server: how many replicas its StatefulSet should have. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { z } from 'zod';
import type { Wanted } from './pod-end.ts';

const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const TIMEOUT_MS = 5_000;

export interface ApiAccess {
  /** For example https://10.0.0.1:443. */
  readonly url: string;
  /** A directory with `token`, `namespace` and `ca.crt`. */
  readonly account: string;
}

const STATEFUL_SET = z.object({
  metadata: z.object({ deletionTimestamp: z.string().nullish() }),
  spec: z.object({
    replicas: z.int().min(0).default(1),
    ordinals: z.object({ start: z.int().min(0).default(0) }).nullish(),
  }),
});

/** Null if the StatefulSet no longer exists. Rejects with a one-line message if that cannot be determined. */
export async function askWanted(access: ApiAccess, set: string): Promise<Wanted | null> {
  const namespace = readFileSync(join(access.account, 'namespace'), 'utf8').trim();
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/statefulsets/${encodeURIComponent(set)}`;
  const { status, body } = await get(access, path);
  if (status === 404) return null;
  if (status !== 200) throw new Error(`the API server answered ${status} to GET ${path}`);
  const { metadata, spec } = STATEFUL_SET.parse(JSON.parse(body));
  const isDeleted = typeof metadata.deletionTimestamp === 'string';
  return { replicas: spec.replicas, start: spec.ordinals?.start ?? 0, isDeleted };
}

function get({ url, account }: ApiAccess, path: string): Promise<{ status: number; body: string }> {
  const target = new URL(path, url);
  const isPlain = target.protocol === 'http:';
  const options = {
    headers: { authorization: `Bearer ${readFileSync(join(account, 'token'), 'utf8').trim()}` },
    timeout: TIMEOUT_MS,
    ...(isPlain ? {} : { ca: readFileSync(join(account, 'ca.crt')) }),
  };
  return new Promise((resolve, reject) => {
    const request = (isPlain ? http : https).get(target, options, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => {
        body += text;
        if (body.length > ANSWER_BYTES_MAX) request.destroy(new Error('the API server answers without end'));
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    request.on('error', (error) => reject(new Error(`the API server: ${error.message}`)));
  });
}
