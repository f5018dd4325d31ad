/**
 * What every bundle has in place of the global `Buffer`: that one is a getter of Node, called anew at each use, and nothing
 * of it is known to the engine when it optimises.
 */
export { Buffer } from 'node:buffer';
