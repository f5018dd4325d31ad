/**
 * What probes are told of a process that waits for the cluster which it is to join: it lives, it does not serve, and nobody misses
 * it if it is stopped. Whatever runs it would otherwise take it for dead, and start it again and again.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

export interface WaitingDoor {
  /** Resolves when the port is free again. */
  close(): Promise<void>;
}

/** `reason`: why it waits, now. Rejects where the port cannot be had. */
export function openWaitingDoor(
  { host, port }: { readonly host: string; readonly port: number },
  reason: () => string,
): Promise<WaitingDoor> {
  const server = createServer(({ url = '' }, response) => {
    const [path] = url.split('?');
    if (path === '/healthz') tell(response, 'healthy', []);
    else if (path === '/safe-to-stop') tell(response, 'safe', []);
    else if (path === '/readyz') tell(response, 'ready', [reason()]);
    // There is no node yet: as where nobody listens, for whoever asks about one.
    else response.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve({
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

/** In the form in which a node answers its probes. */
function tell(response: ServerResponse, name: string, reasons: readonly string[]): void {
  const isWell = reasons.length === 0;
  const detail = isWell ? {} : { detail: reasons.join('; ') };
  response.writeHead(isWell ? 200 : 503, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify({ [name]: isWell, reasons, ...detail }));
}
