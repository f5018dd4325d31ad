/** One operation of a history, carried out through the client library, and what the client was told. */
import { CausewayError, type CausewayClient, type Entry, type Expected } from '../src/client/index.ts';
import type { HistoryCall, HistoryExpectation, HistoryOutcome } from '../sim/checkers/history.ts';

export interface Performed {
  readonly outcome: HistoryOutcome;
  /** The failure's code, if it failed. */
  readonly failure?: string;
}

/** Rejects only if the client library breaks its contract: every failure must have a certainty. */
export async function perform(
  client: CausewayClient,
  key: string,
  call: HistoryCall,
  timeoutMs: number,
): Promise<Performed> {
  try {
    return { outcome: await attempt(client, key, call, { timeoutMs }) };
  } catch (error) {
    if (!(error instanceof CausewayError)) throw error;
    if (error.code === 'not_an_integer') return { outcome: { kind: 'notAnInteger' } };
    // A read changes nothing, so it does not matter whether it was carried out.
    const isLost = error.certainty === 'indefinite' && call.kind !== 'get';
    return { outcome: { kind: isLost ? 'indefinite' : 'definiteFailure' }, failure: error.code };
  }
}

async function attempt(
  client: CausewayClient,
  key: string,
  call: HistoryCall,
  options: { readonly timeoutMs: number },
): Promise<HistoryOutcome> {
  switch (call.kind) {
    case 'get':
      return seen(await client.getWithMeta(key, options));
    case 'put':
      return { kind: 'done', version: await client.set(key, call.value, options) };
    case 'delete':
      return { kind: 'done', version: await client.delete(key, options) };
    case 'increment': {
      const { total, version } = await client.incrementWithMeta(key, call.delta, options);
      return { kind: 'done', version, number: total };
    }
    case 'compareAndPut':
    case 'compareAndDelete': {
      const result =
        call.kind === 'compareAndPut'
          ? await client.compareAndSet(key, expectedOf(call.expect), call.value, options)
          : await client.compareAndDelete(key, expectedOf(call.expect) as NotAbsent, options);
      if (result.applied) return { kind: 'done', version: result.version };
      const { current } = result;
      return {
        kind: 'conditionFailed',
        current: current === undefined ? null : textOf(current.value),
        ...(current === undefined ? {} : { version: current.version }),
      };
    }
    case 'modify':
    case 'fill':
    case 'loss':
      throw new Error(`no client does ${call.kind}`);
  }
}

type NotAbsent = Exclude<Expected, 'absent'>;

export function seen(entry: Entry | undefined): HistoryOutcome {
  if (entry === undefined) return { kind: 'value', value: null };
  return { kind: 'value', value: textOf(entry.value), version: entry.version };
}

export function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString();
}

function expectedOf(expect: HistoryExpectation): Expected {
  if (expect.kind === 'absent') return 'absent';
  return expect.kind === 'version' ? { version: expect.version } : { value: expect.value };
}
