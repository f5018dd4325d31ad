/** Tries the ports that a node would listen on, and asks at the members' addresses which node is there. */
import { createServer } from 'node:net';
import { reasonOf } from '../base/reason-of.ts';
import type { MemberFacts, PortFacts } from './doctor-network-rules.ts';
import { asFacts, word } from './facts.ts';

/** Binds the port for a moment and releases it. */
export function portFacts(door: PortFacts['door'], host: string, port: number): Promise<PortFacts> {
  return new Promise((resolve) => {
    const server = createServer();
    const end = (refusal: string): void => resolve({ door, host, port, refusal });
    server.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => end('')));
  });
}

export async function memberFacts(
  member: { readonly name: string; readonly address: string },
  timeoutMs: number,
): Promise<MemberFacts> {
  const { connect } = await import('../client/index.ts');
  const { name, address } = member;
  const client = connect({ nodes: [address], timeoutMs, connectTimeoutMs: timeoutMs });
  try {
    // The first call includes establishing the connection, so only the second is timed.
    await client.status(address);
    const began = performance.now();
    const status = asFacts(await client.status(address));
    return {
      name,
      address,
      answeredBy: word(status['name']),
      roundTripMs: performance.now() - began,
      reason: '',
    };
  } catch (error) {
    const reason = reasonOf(error);
    return { name, address, answeredBy: null, roundTripMs: 0, reason };
  } finally {
    client.close();
  }
}
