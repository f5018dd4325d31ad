/**
 * The order of texts by their UTF-8 bytes, as LevelDB and PostgreSQL's "C" collation sort them. It differs from
 * JavaScript's own order (UTF-16 code units) only where a character above U+FFFF is compared with one from U+E000 to
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

/** Ranks surrogates, which stand for all characters above U+FFFF, higher than any other code unit. */
function codeRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
