/**
 * One request to the legacy source and its complete answer, within bounds of bytes and idle time. It follows no
 * redirect, decodes nothing, and ends exactly once: with an answer, with a failure, or by being cut off.
 */
import type { Dispatcher, Pool } from 'undici';
import { meaningOfStatus } from '../../core/legacy/legacy-answer.ts';
import type { LegacyBody } from '../../core/legacy/legacy-answer.ts';

export interface ExchangeRequest {
  /** Request target: path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly idleTimeoutMs: number;
  readonly bodyBytesMax: number;
}

export type ExchangeResult =
  /** `body` is null if the status alone decides. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly retryAfter: string;
      readonly body: LegacyBody | null;
    }
  /** The body is not acceptable: too large, or compressed although it must not be. */
  | { readonly kind: 'oversized' | 'encoded' }
  /** A network, TLS or protocol error; `reason` is a code, never an address or a header. */
  | { readonly kind: 'broken'; readonly reason: string }
  | { readonly kind: 'cut' };

/** Up to this size an error page is read to the end, so that the connection can be kept. */
const DISCARD_BYTES_MAX = 16 * 1024;

/**
 * Returns a function that cuts the exchange off; `done` is then called at once. Otherwise `done` is never called from
 * within this function.
 */
export function exchange(
  pool: Pool,
  request: ExchangeRequest,
  done: (result: ExchangeResult) => void,
): () => void {
  const abort = new AbortController();
  let ended = false;
  const end = (result: ExchangeResult): void => {
    if (ended) return;
    ended = true;
    done(result);
  };
  pool.request(
    {
      method: 'GET',
      path: request.path,
      headers: request.headers,
      signal: abort.signal,
      bodyTimeout: request.idleTimeoutMs,
      // The deadline of the whole fetch limits the wait for the response headers.
      headersTimeout: 0,
    },
    (error, response) => {
      if (error !== null) end({ kind: 'broken', reason: codeOf(error) });
      else receive(request, response, end);
    },
  );
  return () => {
    end({ kind: 'cut' });
    abort.abort();
  };
}

function receive(
  request: ExchangeRequest,
  response: Dispatcher.ResponseData,
  end: (result: ExchangeResult) => void,
): void {
  const { statusCode: status, headers, body } = response;
  if (meaningOfStatus(status) !== 'value') {
    body.on('error', ignore);
    body.dump({ limit: DISCARD_BYTES_MAX, signal: AbortSignal.timeout(request.idleTimeoutMs) }).catch(ignore);
    end({ kind: 'answer', status, retryAfter: textOf(headers['retry-after']), body: null });
    return;
  }
  const refuse = (kind: 'oversized' | 'encoded'): void => {
    end({ kind });
    body.on('error', ignore).destroy();
  };
  const encoding = textOf(headers['content-encoding']).trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity') return refuse('encoded');
  const declared = textOf(headers['content-length']);
  if (Number(declared) > request.bodyBytesMax) return refuse('oversized');

  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  body.on('data', (chunk: Uint8Array) => {
    byteCount += chunk.length;
    if (byteCount > request.bodyBytesMax) refuse('oversized');
    else chunks.push(chunk);
  });
  body.on('error', (error) => end({ kind: 'broken', reason: codeOf(error) }));
  body.on('close', () => end({ kind: 'broken', reason: 'closed' }));
  body.on('end', () => {
    const framed = declared !== '' || headers['transfer-encoding'] !== undefined;
    const contentType = textOf(headers['content-type']);
    end({
      kind: 'answer',
      status,
      retryAfter: '',
      body: { contentType, framed, bytes: Buffer.concat(chunks) },
    });
  });
}

function ignore(): void {}

/** A header that was sent twice is joined, and then fails wherever exactly one value was expected. */
function textOf(header: string | string[] | undefined): string {
  return header === undefined ? '' : String(header);
}

function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name;
}
