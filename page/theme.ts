/** Light and dark: as in the system, unless the user has chosen; and colours for what is drawn on a canvas. */
import { computed, effect, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

const STORED_AS = 'causeway-theme';
const systemIsDark = window.matchMedia('(prefers-color-scheme: dark)');
const system = signal(systemIsDark.matches);

export const theme = signal<Theme>(stored());
export const isDark = computed(() => (theme.value === 'auto' ? system.value : theme.value === 'dark'));

systemIsDark.addEventListener('change', ({ matches }) => (system.value = matches));
effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});

export function choose(chosen: Theme): void {
  theme.value = chosen;
  try {
    localStorage.setItem(STORED_AS, chosen);
  } catch {
    // A browser without storage: the choice lasts as long as the page is open.
  }
}

function stored(): Theme {
  try {
    return THEMES.find((one) => one === localStorage.getItem(STORED_AS)) ?? 'auto';
  } catch {
    return 'auto';
  }
}

/** A CSS variable's colour in a form that a canvas accepts. */
export function colorOf(variable: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
