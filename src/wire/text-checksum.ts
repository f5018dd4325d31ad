/** CRC-32 of a text's UTF-8 bytes. */
import { crc32 } from 'node:zlib';

export function crc32Text(text: string): number {
  return crc32(text);
}
