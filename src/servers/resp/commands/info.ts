/** INFO: the sections in their order, and which of them were asked for. */
import type { Door } from '../door.ts';
import { SECTIONS } from './info-fields.ts';

/** Names that stand for all sections, including the long ones. */
const EVERYTHING: readonly string[] = ['all', 'everything'];
const DEFAULT = 'default';

/** Without a section name: the default ones. */
export function infoText(door: Door, asked: readonly string[]): string {
  const status = door.api.status();
  const isWhole = asked.some((name) => EVERYTHING.includes(name));
  const isUsual = asked.length === 0 || asked.includes(DEFAULT);
  const parts: string[] = [];
  for (const { title, isLong = false, fields } of SECTIONS) {
    if (!isWhole && !(isUsual && !isLong) && !asked.includes(title.toLowerCase())) continue;
    const lines = fields(door, status).map(([field, value]) => `${field}:${value}\r\n`);
    parts.push(`# ${title}\r\n${lines.join('')}`);
  }
  return parts.join('\r\n');
}
