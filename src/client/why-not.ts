/**
 * Why a node cannot be reached. The gRPC library reports the reason only to a call that does not wait for a connection,
 * so a harmless one is made.
 */
import type { Client } from '@grpc/grpc-js';

const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
/** Milliseconds for the reason, which the library mostly has at hand. */
const TOLD_WITHIN_MS = 200;

/** '' if the reason is unknown, as when nothing at all comes back. */
export function whyNot(client: Client): Promise<string> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const deadline = Date.now() + TOLD_WITHIN_MS;
  return new Promise((resolve) => {
    client.makeUnaryRequest(HEALTH_CHECK, asIs, asIs, Buffer.alloc(0), { deadline }, (error) =>
      resolve(reasonIn(error?.details ?? '')),
    );
  });
}

function reasonIn(details: string): string {
  if (details.startsWith('Name resolution failed')) return 'its name is unknown';
  if (details.includes('Last error: Protocol error')) return 'what listens there does not speak gRPC';
  return /Last error: (?:Error: )?connect (E[A-Z]+)/.exec(details)?.[1] ?? '';
}
