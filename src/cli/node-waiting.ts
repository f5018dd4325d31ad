/**
 * Answers probes while a process waits for the cluster that it is to join: it is alive, it does not serve, and it is
 * safe to stop. Without answers, an orchestrator would take it for dead and restart it again and again.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

export interface WaitingDoor {
  /** Resolves when the port is free again. */
  close(): Promise<void>;
}

/** `reason` returns why the process is waiting now. Rejects if the port is not available. */
export function openWaitingDoor(
  { host, port }: { readonly host: string; readonly port: number },
  reason: () => string,
): Promise<WaitingDoor> {
  const server = createServer(({ url = '' }, response) => {
    const [path] = url.split('?');
    if (path === '/healthz') tell(response, 'healthy', []);
    else if (path === '/safe-to-stop') tell(response, 'safe', []);
    else if (path === '/readyz') tell(response, 'ready', [reason()]);
    // For other requests behave as if nobody listened: there is no node yet.
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

/** In the same format as a node's answers to probes. */
function tell(response: ServerResponse, name: string, reasons: readonly string[]): void {
  const isWell = reasons.length === 0;
  const detail = isWell ? {} : { detail: reasons.join('; ') };
  response.writeHead(isWell ? 200 : 503, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify({ [name]: isWell, reasons, ...detail }));
}
