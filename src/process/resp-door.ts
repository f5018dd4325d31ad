/** The Redis door of a process: its settings, its secret, its port. */
import { reasonOf } from '../base/reason-of.ts';
import type { Config } from '../config/config.ts';
import { readSecret } from '../config/secrets.ts';
import { parseSecretReference } from '../core/legacy/legacy-config.ts';
import { whyNotBound } from './grpc-server.ts';
import type { NodeApi } from '../node/api.ts';
import type { Tracing } from '../ports/tracing.ts';
import { openRespServer } from '../servers/resp/server.ts';
import type { RespServer } from '../servers/resp/server.ts';

/** Null if none is configured. Throws a one-line message for the operator. */
export async function openResp(
  config: Config,
  api: NodeApi,
  tracing: Tracing | null,
): Promise<RespServer | null> {
  const { host, port, password, members, mayFlush, idleMsMax, connectionsMax } = config.resp;
  if (port === undefined) return null;
  const settings = {
    password: password === undefined ? null : secretOf(password),
    valueBytesMax: config.limits.valueBytesMax,
    addresses: new Map(members.map(({ name, address }) => [name, address])),
    nodeName: config.node.name,
    replicas: config.cluster.replicas,
    slowMs: config.log.slowMs,
    ...{ mayFlush, idleMsMax, connectionsMax, tracing },
  };
  try {
    return await openRespServer(api, host, port, settings);
  } catch (error) {
    const reason = reasonOf(error);
    throw new Error(whyNotBound('resp', `${host}:${port}`, reason), { cause: error });
  }
}

/** The door must not open without its password: it would be open to everybody. */
function secretOf(setting: string): string {
  const read = readSecret(parseSecretReference(setting)!, process.env);
  if ('fault' in read) throw new Error(`resp.password: ${read.fault}`);
  return read.secret;
}
