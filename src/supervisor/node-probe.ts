/**
 * What a supervisor sees of a node from outside, over HTTP: whether it is ready, and the few facts of its status that
 * fit on one line. Answers are read defensively: a node may be of another version than the supervisor.
 */
import { get } from 'node:http';
import { NODE_HOST } from './node-files.ts';
import { reasonOf } from '../base/reason-of.ts';
import { codeOf } from './start-error.ts';

/** Milliseconds for one request; a node that takes longer is shown as not answering. */
const PROBE_TIMEOUT_MS = 1_500;
/** Maximum characters of what a node waits for: enough to name the holder of a lock that PostgreSQL waits for. */
const REASON_CHARS_MAX = 400;
const ANSWER_BYTES_MAX = 1024 * 1024;

/** A part of the node's own status (src/node/status.ts). */
export interface NodeView {
  readonly name: string;
  readonly answers: boolean;
  readonly phase: string;
  readonly epoch: number;
  readonly leaseHeld: boolean;
  readonly membersAlive: number;
  readonly membersKnown: number;
  readonly keysHeld: number;
  readonly reads: number;
  readonly writes: number;
  readonly failures: number;
  readonly record: string;
  readonly legacy: string;
  readonly legacyCalls: number;
}

/** '' if it is ready, otherwise a few words on why it is not. */
export async function whyNotReady(httpPort: number): Promise<string> {
  try {
    const { status, body } = await httpGet(`http://${NODE_HOST}:${httpPort}/readyz`);
    if (status === 200) return '';
    return readableReason(body) || `HTTP status ${status}`;
  } catch (error) {
    return codeOf(error) === 'ECONNREFUSED' ? 'does not listen yet' : reasonOf(error);
  }
}

export async function viewNode(name: string, httpPort: number): Promise<NodeView> {
  try {
    const { status, body } = await httpGet(`http://${NODE_HOST}:${httpPort}/status`);
    if (status === 200) return parseView(name, JSON.parse(body));
  } catch {
    // "Not answering" is shown as such.
  }
  return { ...parseView(name, {}), answers: false, phase: 'unreachable' };
}

export function httpGet(url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
        if (body.length > ANSWER_BYTES_MAX) request.destroy(new Error('the answer is too long'));
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.once('error', (error) =>
      reject(error.name === 'AbortError' ? new Error('does not answer') : error),
    );
  });
}

function parseView(name: string, value: unknown): NodeView {
  const status = asObject(value);
  const members = Array.isArray(status.members) ? status.members.map(asObject) : [];
  const operations = asObject(status.operations);
  const legacy = asObject(status.legacy);
  return {
    name,
    answers: true,
    phase: asText(status.phase),
    epoch: asNumber(status.epoch),
    leaseHeld: status.leaseHeld === true,
    membersAlive: members.filter((member) => member.alive === true).length,
    membersKnown: members.length,
    keysHeld: asNumber(status.keysHeld),
    reads: asNumber(operations.reads),
    writes: asNumber(operations.writes),
    failures: asNumber(operations.failures),
    record: asText(asObject(status.record).state),
    legacy: asText(legacy.state),
    legacyCalls: asNumber(legacy.calls),
  };
}

/** The reasons in a refusal's JSON body (src/servers/http), else its text. */
function readableReason(body: string): string {
  try {
    const { reasons } = asObject(JSON.parse(body));
    if (Array.isArray(reasons)) return oneLine(reasons.join(', '));
  } catch {
    // It is plain text.
  }
  return oneLine(body);
}

function oneLine(text: string): string {
  const line = printable(text).trim();
  return line.length <= REASON_CHARS_MAX ? line : `${line.slice(0, REASON_CHARS_MAX)}...`;
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function asNumber(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? printable(value).slice(0, 20) : '?';
}

/** Text from elsewhere goes to a terminal, so control characters are removed. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ');
}
