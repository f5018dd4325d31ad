/** The HTTP door of a process: its parts, and where it listens. */
import { reasonOf } from '../base/reason-of.ts';
import { StatusAsker } from '../adapters/grpc/status-asker.ts';
import type { Config } from '../config/config.ts';
import { whyNotBound } from './grpc-server.ts';
import type { Metering } from './metering.ts';
import { dialAddresses } from './node-settings.ts';
import { pageDirectory } from './package-files.ts';
import type { NodeApi } from '../node/api.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { LogLevels } from '../servers/http/admin-routes.ts';
import { mountApi } from '../servers/http/api-routes.ts';
import { browserGuard } from '../servers/http/browser-guard.ts';
import { mountLive } from '../servers/http/live.ts';
import { mountPage } from '../servers/http/page.ts';
import { httpRoutes, openHttpServer } from '../servers/http/server.ts';
import type { Mount } from '../servers/http/server.ts';

/**
 * Opens before the node takes part, so that probes are answered while it waits for others. Returns a function that
 * closes it.
 */
export async function openHttp(
  config: Config,
  api: NodeApi,
  metering: Metering,
  log: LogLevels,
  tracing: Tracing | null,
): Promise<() => Promise<void>> {
  const { host, port } = config.http;
  const { valueBytesMax } = config.limits;
  const mounts: Mount[] = [
    (routes) => routes.use(browserGuard(host)),
    ...metering.mounts(api),
    (routes) => mountApi(routes, api, { valueBytesMax, log, tracing }),
    mountPage(pageDirectory()),
    mountLive(api, new StatusAsker(dialAddresses(config)), config.cluster.name),
  ];
  try {
    const server = await openHttpServer(httpRoutes(api, mounts), host, port);
    metering.http = server.connections;
    return () => server.close();
  } catch (error) {
    const reason = reasonOf(error);
    throw new Error(whyNotBound('http', `${host}:${port}`, reason), { cause: error });
  }
}
