/** The benchmark's side of a load generator. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { World } from '../../world.ts';
import type { Target } from './driver.ts';
import type { LoadAnswer, LoadOrder } from './orders.ts';

export class GeneratorProcess {
  private readonly child: ChildProcess;
  private orders = 0;

  constructor(world: World, target: Target) {
    this.child = fork(world.entry, ['load-generator'], { execArgv: [] });
    this.child.send({ target });
    world.atClose(async () => this.close());
  }

  order(order: LoadOrder): Promise<LoadAnswer> {
    const id = (this.orders += 1);
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('the generator of load has ended'));
      this.child.once('exit', onExit);
      const onMessage = (told: { id: number; answer?: LoadAnswer; error?: string }): void => {
        if (told.id !== id) return;
        this.child.off('message', onMessage);
        this.child.off('exit', onExit);
        if (told.answer === undefined) reject(new Error(told.error));
        else resolve(told.answer);
      };
      this.child.on('message', onMessage);
      this.child.send({ id, order });
    });
  }

  close(): void {
    this.child.kill('SIGKILL');
  }
}
