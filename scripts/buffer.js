/**
 * Every bundle uses this instead of the global `Buffer`, which in Node is a getter that is called at each use and that
 * the engine cannot optimise.
 */
export { Buffer } from 'node:buffer';
