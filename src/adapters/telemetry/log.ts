/**
 * The Telemetry port as a log: one JSON object per line on standard output, as log collectors read it, and counters in
 * memory. Anything that could contain a secret, a key or a value is hidden here, whoever passes it in.
 */
import { createHash } from 'node:crypto';
import { pino } from 'pino';
import type { DestinationStream } from 'pino';
import { withoutCredentials } from '../../base/credentials.ts';
import type { CounterName, EventName, LogLevel } from '../../core/observability/events.ts';
import type { Telemetry } from '../../ports/telemetry.ts';

export interface Log extends Telemetry {
  readonly counters: ReadonlyMap<CounterName, number>;
  /** How often each event occurred, including those below the log level. */
  readonly events: ReadonlyMap<EventName, number>;
  level(): LogLevel;
  /** The lowest severity that is written from now on. */
  setLevel(level: LogLevel): void;
  /** Writes what is still buffered; for the end of the process. */
  flush(): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Appears on every line. */
  readonly node: string;
  /** How a field `key` is shown; default: hashed. */
  readonly keys?: 'hashed' | 'clear';
  /** Where to write instead of standard output. */
  readonly destination?: DestinationStream;
}

/**
 * How many bytes may wait for a slow reader of standard output. Further lines are dropped rather than delaying the
 * node.
 */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** UTF-16 units of one text. */
const TEXT_UNITS_MAX = 2_000;
const KEY_HASH_DIGITS = 16;
const HIDDEN = '[hidden]';
const HIDDEN_FIELDS =
  /^(key|keys|value|values|headers|token|cookie|authorization|connectionstring|.*(password|secret).*)$/i;

export function openLog(options: LogOptions): Log {
  const output = pino.destination({ dest: 1, sync: false, maxLength: WAITING_BYTES_MAX });
  // If the reader of the log goes away, the node must not end.
  output.on('error', () => {});
  const logger = pino(
    {
      level: options.level,
      base: { node: options.node, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'event',
    },
    options.destination ?? output,
  );
  const counters = new Map<CounterName, number>();
  const events = new Map<EventName, number>();
  return {
    counters,
    events,
    event: (level, name, fields) => {
      events.set(name, (events.get(name) ?? 0) + 1);
      if (logger.isLevelEnabled(level))
        logger[level](fields === undefined ? {} : shown(fields, options.keys ?? 'hashed'), name);
    },
    count: (name, amount = 1) => {
      counters.set(name, (counters.get(name) ?? 0) + amount);
    },
    level: () => logger.level as LogLevel,
    setLevel: (level) => (logger.level = level),
    flush: () => flushQuietly(output),
  };
}

function shown(fields: Readonly<Record<string, unknown>>, keys: 'hashed' | 'clear'): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (name === 'key' && typeof field === 'string') {
      if (keys === 'clear') clean['key'] = field;
      else clean['keyHash'] = hashOf(field);
    } else
      clean[name] = HIDDEN_FIELDS.test(name) ? HIDDEN : typeof field === 'string' ? shownText(field) : field;
  }
  return clean;
}

/** Short, and the same for a key on every node, so that the logs of several nodes can be correlated. */
function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, KEY_HASH_DIGITS);
}

function shownText(text: string): string {
  // Credentials are removed before the text is cut: half an address no longer looks like one.
  return withoutCredentials(text).slice(0, TEXT_UNITS_MAX);
}

function flushQuietly(output: { flushSync(): void }): void {
  try {
    output.flushSync();
  } catch {
    // Nobody reads any more, or nothing was ever written.
  }
}
