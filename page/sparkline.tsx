/** A line of the last minute, the size of a word. The figures beside it say the same. */
const SHOWN = 60;
const WIDTH = 120;
const HEIGHT = 28;

export function Sparkline({
  values,
  color,
}: {
  readonly values: readonly (number | null)[];
  readonly color: number;
}) {
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" class="spark" aria-hidden="true">
      <path d={pathOf(values.slice(-SHOWN))} class={`line-${color}`} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

/** Ends at the right edge; a missing value breaks the line. */
function pathOf(values: readonly (number | null)[]): string {
  const top = Math.max(1, ...values.map((value) => value ?? 0));
  let pen = 'M';
  let path = '';
  values.forEach((value, at) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    const x = WIDTH - ((values.length - 1 - at) * WIDTH) / (SHOWN - 1);
    path += `${pen}${x.toFixed(1)} ${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`;
    pen = 'L';
  });
  return path;
}
