/**
 * What a process that joins a cluster knows before it has its settings, and how the settings that a member reports are
 * merged into its own. A process decides about its own place (name, address, zone and host) itself.
 */
import { isObject, mergeLayers } from './layers.ts';
import { isLoopback } from '../core/clients/door-address.ts';

/** What a process learns about the cluster that it joins. */
export interface ClusterTold {
  readonly layer: Readonly<Record<string, unknown>>;
  readonly members: readonly { readonly name: string; readonly address: string }[];
}

export interface JoinWish {
  /** The member to ask about the cluster. */
  readonly address: string;
  readonly dataDir: string;
  /**
   * It is one of the founders, which the settings also name, so that founders and later nodes can be started with the
   * same settings.
   */
  readonly isFounder: boolean;
  /** Where to answer probes while it waits; null if nowhere, as far as the unchecked settings show. */
  readonly probes: { readonly host: string; readonly port: number } | null;
}

/** `given`: all layers, not yet checked. Undefined if the process joins no cluster. */
export function joinWishOf(given: unknown): JoinWish | undefined {
  const node = sectionOf(given, 'node');
  const { join, dataDir } = node;
  if (typeof join !== 'string' || typeof dataDir !== 'string') return undefined;
  const founders = foundersIn(given);
  const isFounder = founders.some((founder) => founder['name'] === node['name']);
  return { address: join, dataDir, isFounder, probes: probesOf(given) };
}

/** The address of the HTTP door, unless it would be reachable from other machines without permission. */
function probesOf(given: unknown): JoinWish['probes'] {
  const http = sectionOf(given, 'http');
  const host = textOr(http['host'], '127.0.0.1');
  const port = Number(textOr(http['port'], '8080'));
  const mayListen = isLoopback(host) || sectionOf(given, 'network')['insecure'] === true;
  return mayListen && Number.isInteger(port) && port >= 0 && port <= 65_535 ? { host, port } : null;
}

/** The members become those that the cluster has now, plus this process. */
export function withTold({ layer, members }: ClusterTold, given: unknown): unknown {
  const merged = mergeLayers(layer, given);
  const node = sectionOf(merged, 'node');
  const grpc = sectionOf(merged, 'grpc');
  const written = foundersIn(given).find((founder) => founder['name'] === node['name']) ?? {};
  const own = {
    name: node['name'],
    address:
      node['address'] ??
      written['address'] ??
      `${textOr(grpc['host'], '127.0.0.1')}:${textOr(grpc['port'], '50051')}`,
    zone: node['zone'] ?? written['zone'] ?? '',
    host: node['host'] ?? written['host'] ?? '',
  };
  const others = members.filter((member) => member.name !== node['name']);
  const known = others.map(({ name, address }) => ({ name, address }));
  return mergeLayers(merged, { cluster: { members: [...known, own] } });
}

function foundersIn(given: unknown): Readonly<Record<string, unknown>>[] {
  const members = sectionOf(given, 'cluster')['members'];
  return Array.isArray(members) ? members.filter(isObject) : [];
}

function sectionOf(given: unknown, name: string): Readonly<Record<string, unknown>> {
  const section = isObject(given) ? given[name] : undefined;
  return isObject(section) ? section : {};
}

/** A setting as it was given, before it is checked. */
function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
}
