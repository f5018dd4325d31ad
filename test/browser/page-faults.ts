/**
 * Accessibility faults of a page, as far as a program can find them. Each function runs in the browser, so it must be
 * self-contained. Contrast by WCAG 2.2: 4.5 for text, 3 for large text and for graphics.
 */

// long: it is handed to a browser as one function
export function contrastFaults(): string[] {
  type Color = [number, number, number, number];
  const parse = (text: string): Color => {
    const numbers = (text.match(/[\d.]+/g) ?? []).map(Number);
    const scale = text.startsWith('color(') ? 1 : 255;
    const [r = 0, g = 0, b = 0, a = 1] = numbers;
    return [r / scale, g / scale, b / scale, a];
  };
  const over = (top: Color, below: Color): Color => {
    const mix = (at: 0 | 1 | 2): number => top[at] * top[3] + below[at] * (1 - top[3]);
    return [mix(0), mix(1), mix(2), 1];
  };
  const ground = (element: Element | null): Color => {
    if (element === null) return [1, 1, 1, 1];
    const own = parse(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : over(own, ground(element.parentElement));
  };
  const light = ([r, g, b]: Color): number => {
    const linear = (value: number): number =>
      value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const contrast = (a: Color, b: Color): number => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x) as [number, number];
    return (high + 0.05) / (low + 0.05);
  };
  const faults: string[] = [];
  const hold = (element: Element, color: string, least: number, what: string): void => {
    const below = ground(element instanceof SVGElement ? element.ownerSVGElement : element);
    const found = contrast(over(parse(color), below), below);
    if (found < least) faults.push(`${what}: ${found.toFixed(2)} of ${least}`);
  };
  for (const element of document.querySelectorAll('body *')) {
    const style = getComputedStyle(element);
    const text = [...element.childNodes]
      .filter(({ nodeType }) => nodeType === Node.TEXT_NODE)
      .map(({ textContent }) => textContent?.trim() ?? '')
      .join('');
    const { width } = element.getBoundingClientRect();
    if (text === '' || width === 0 || element.closest('.unseen, noscript') !== null) continue;
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    hold(element, element instanceof SVGElement ? style.fill : style.color, isLarge ? 3 : 4.5, text);
  }
  for (const arc of document.querySelectorAll('.arc.serving'))
    hold(arc, getComputedStyle(arc).fill, 3, `arc ${arc.getAttribute('class')}`);
  return faults;
}

/** Names, roles and order, for users who cannot see the page. */
export function semanticFaults(): string[] {
  const faults: string[] = [];
  const named = (element: Element): boolean =>
    ['aria-label', 'aria-labelledby'].some((name) => (element.getAttribute(name) ?? '') !== '') ||
    (element as HTMLInputElement).labels?.[0]?.textContent?.trim() !== undefined;
  if (document.documentElement.lang === '') faults.push('no language');
  if (document.querySelectorAll('main').length !== 1) faults.push('not one main part');
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one first heading');
  for (const element of document.querySelectorAll(
    'input, button, section, [role=slider], [role=img], [role=progressbar]',
  ))
    if (!named(element)) faults.push(`no name: ${element.outerHTML.slice(0, 80)}`);
  for (const svg of document.querySelectorAll('svg'))
    if (svg.closest('[aria-hidden=true], [role=img]') === null)
      faults.push(`a picture without words: ${svg.outerHTML.slice(0, 60)}`);
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of ids) if (ids.filter((one) => one === id).length > 1) faults.push(`twice: #${id}`);
  for (const element of document.querySelectorAll('[aria-labelledby]'))
    if (document.getElementById(element.getAttribute('aria-labelledby')!) === null)
      faults.push(`named by nothing: ${element.outerHTML.slice(0, 80)}`);
  return faults;
}

/** Elements that do not fit their place, or are too small to read. */
export function sizeFaults(): string[] {
  const faults: string[] = [];
  if (document.documentElement.scrollWidth > window.innerWidth) faults.push('wider than the window');
  for (const element of document.querySelectorAll('#page *')) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || element.closest('.unseen, svg, .uplot') !== null) continue;
    if (box.right > window.innerWidth + 1) faults.push(`beyond the edge: ${element.outerHTML.slice(0, 80)}`);
    if (parseFloat(getComputedStyle(element).fontSize) < 12)
      faults.push(`small: ${element.outerHTML.slice(0, 80)}`);
  }
  for (const text of document.querySelectorAll('.ring-name')) {
    const box = text.getBoundingClientRect();
    if (box.left < 0 || box.right > window.innerWidth) faults.push(`cut off: ${text.textContent}`);
    if (box.height < 11) faults.push(`small: ${text.textContent}`);
  }
  return faults;
}
