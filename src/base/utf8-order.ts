/**
 * The order of texts by their UTF-8 bytes, as LevelDB and PostgreSQL's "C" collation sort them. It differs
 * from JavaScript's own (UTF-16 units) only where a character beyond U+FFFF meets one from U+E000 to
 * U+FFFF.
 */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return codeRank(left) - codeRank(right);
  }
  return a.length - b.length;
}

/** Moves the surrogates, which stand for everything beyond U+FFFF, above all other units. */
function codeRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
