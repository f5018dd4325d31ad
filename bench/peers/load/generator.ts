/**
 * The process that generates load: one for each system, of which only one works at a time. It carries out orders, and
 * reports what it measured and its own cost.
 */
import { watchParent } from '../../../src/supervisor/watch-parent.ts';
import { doorPorts } from './driver.ts';
import type { Driver, OnAnswer, Target } from './driver.ts';
import { EtcdDriver } from './etcd-driver.ts';
import { HandWrittenDriver } from './hand-written-driver.ts';
import { Histogram } from './histogram.ts';
import { keyChoice } from './key-choice.ts';
import type { LoadAnswer, LoadOrder, Through } from './orders.ts';
import { BatchDriver, RowsDriver } from './postgres-driver.ts';
import { ProgramDriver } from './program-driver.ts';
import { RespDriver } from './resp-driver.ts';

/** With this many unanswered operations of an open loop nothing more is sent: the system has fallen behind for good. */
export const BEHIND_MAX = 20_000;

type Order<Kind> = Extract<LoadOrder, { kind: Kind }>;

/** The system is in the first message, because a map of slots is too long for a command line. */
export function runGenerator(): void {
  watchParent(() => process.exit(0));
  process.once('message', ({ target }: { target: Target }) => serve(new Generator(target)));
  process.channel?.ref();
}

function serve(generator: Generator): void {
  process.on('message', ({ id, order }: { id: number; order: LoadOrder }) => {
    generator.carryOut(order).then(
      (answer) => process.send!({ id, answer }),
      (error: Error) => process.send!({ id, error: error.message }),
    );
  });
}

export class Generator {
  private readonly target: Target;
  private readonly drivers = new Map<Through, Driver>();
  /** Set by the order that is being carried out, as is `onDone`. */
  private driver: Driver;
  private latencies = new Histogram();
  private late = new Histogram();
  private count = 0;
  private failed = 0;
  private fault = '';
  private onDone: (token: number) => void = () => {};

  constructor(target: Target) {
    this.target = target;
    this.driver = this.through('sockets');
  }

  async carryOut(order: LoadOrder): Promise<LoadAnswer> {
    this.driver = this.through(order.kind === 'closed' ? order.through : 'sockets');
    await this.driver.prepare(order.lanes);
    this.driver.use(order.valueBytes);
    this.latencies = new Histogram();
    this.late = new Histogram();
    this.count = this.failed = 0;
    this.fault = '';
    const startedAt = performance.now();
    const cpu = process.cpuUsage();
    if (order.kind === 'fill') await this.fill(order);
    else if (order.kind === 'closed') await this.closedLoop(order);
    else await this.openLoop(order);
    const { user, system } = process.cpuUsage(cpu);
    const ms = performance.now() - startedAt;
    return {
      ...{ count: this.count, failed: this.failed, fault: this.fault, ms },
      rate: (this.count / ms) * 1000,
      cpuMs: (user + system) / 1000,
      p50: this.latencies.quantile(0.5),
      p99: this.latencies.quantile(0.99),
      p999: this.latencies.quantile(0.999),
      lateMs: this.late.quantile(0.99),
    };
  }

  close(): void {
    for (const driver of this.drivers.values()) driver.close();
  }

  /** Only the Redis protocol can be spoken in several ways; other systems have a single set of connections. */
  private through(asked: Through): Driver {
    const through = this.target.kind === 'resp' ? asked : 'sockets';
    let driver = this.drivers.get(through);
    if (driver === undefined) {
      driver = driverOf(this.target, through, (token, fault) => {
        if (fault === undefined) this.count += 1;
        else {
          this.failed += 1;
          this.fault ||= fault;
        }
        this.onDone(token);
      });
      this.drivers.set(through, driver);
    }
    return driver;
  }

  private fill({ keyCount, lanes }: Order<'fill'>): Promise<void> {
    let next = 0;
    let left = keyCount;
    return new Promise((resolve) => {
      const more = (lane: number): void => {
        if (next === keyCount) return;
        this.driver.issue(lane, true, next++, lane);
        this.driver.flush(lane);
      };
      this.onDone = (lane) => {
        if ((left -= 1) === 0) resolve();
        else more(lane);
      };
      for (let lane = 0; lane < lanes; lane += 1) more(lane);
    });
  }

  private closedLoop(order: Order<'closed'>): Promise<void> {
    const { lanes, pipeline, readShare, forMs } = order;
    const { driver } = this;
    const choose = keyChoice(order.spread, order.keyCount);
    const endAt = performance.now() + forMs;
    const sentAt = new Float64Array(lanes);
    const left = new Int32Array(lanes);
    let running = lanes;
    return new Promise((resolve) => {
      const begin = (lane: number, now: number): void => {
        sentAt[lane] = now;
        left[lane] = pipeline;
        for (let each = 0; each < pipeline; each += 1)
          driver.issue(lane, readShare < 1 && Math.random() >= readShare, choose(), lane);
        driver.flush(lane);
      };
      this.onDone = (lane) => {
        const now = performance.now();
        this.latencies.add(now - sentAt[lane]!);
        if ((left[lane]! -= 1) > 0) return;
        if (now < endAt) begin(lane, now);
        else if ((running -= 1) === 0) resolve();
      };
      const now = performance.now();
      for (let lane = 0; lane < lanes; lane += 1) begin(lane, now);
    });
  }

  /** Checks what is due as often as the process can, because a timer would be a millisecond late. */
  private openLoop(order: Order<'open'>): Promise<void> {
    const { lanes, perSecond, readShare, forMs } = order;
    const { driver } = this;
    const choose = keyChoice(order.spread, order.keyCount);
    const startedAt = performance.now();
    const total = Math.floor((perSecond * forMs) / 1000);
    const dueAt = (number: number): number => startedAt + (number / perSecond) * 1000;
    let sent = 0;
    let answered = 0;
    return new Promise((resolve) => {
      // Once it has fallen behind for good, nothing more is sent, however many are answered afterwards.
      let hasFallenBehind = false;
      const isOver = (): boolean => sent === total || (hasFallenBehind ||= sent - answered > BEHIND_MAX);
      this.onDone = (number) => {
        const now = performance.now();
        answered += 1;
        this.latencies.add(now - dueAt(number));
        if (answered === sent && isOver()) resolve();
      };
      const look = (): void => {
        const now = performance.now();
        const first = sent;
        while (!isOver() && dueAt(sent) <= now) {
          this.late.add(now - dueAt(sent));
          driver.issue(sent % lanes, Math.random() >= readShare, choose(), sent);
          sent += 1;
        }
        for (let lane = first; lane < Math.min(sent, first + lanes); lane += 1) driver.flush(lane % lanes);
        if (!isOver()) setImmediate(look);
        else if (answered === sent) resolve();
      };
      look();
    });
  }
}

function driverOf(target: Target, through: Through, onAnswer: OnAnswer): Driver {
  switch (target.kind) {
    case 'resp': {
      if (through === 'sockets') return new RespDriver(target.ranges, onAnswer);
      const ports = doorPorts(target.ranges);
      return new ProgramDriver(through === 'program' ? ports : ports.slice(0, 1), onAnswer);
    }
    case 'etcd':
      return new EtcdDriver(target.addresses, onAnswer);
    case 'postgres':
      return new (target.isBatched ? BatchDriver : RowsDriver)(target.url, onAnswer);
    case 'hand-written':
      return new HandWrittenDriver(target.url, target.redisPort, onAnswer);
  }
}
