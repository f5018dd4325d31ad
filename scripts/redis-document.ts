/** Makes the tables of docs/REDIS.md anew from the table of commands: `node scripts/run.js scripts/redis-document.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTables } from '../src/servers/resp/redis-document.ts';

const path = join(process.cwd(), 'docs', 'REDIS.md');
writeFileSync(path, withTables(readFileSync(path, 'utf8')));
