/** Regenerates the tables of docs/REDIS.md from the command table: `node scripts/run.js scripts/redis-document.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTables } from '../src/servers/resp/redis-document.ts';

const path = join(process.cwd(), 'docs', 'REDIS.md');
writeFileSync(path, withTables(readFileSync(path, 'utf8')));
