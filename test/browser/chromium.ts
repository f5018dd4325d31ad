/** A browser, if the machine has one. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const PLACES = [
  ...['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export const chromiumPath = [process.env['CHROMIUM'] ?? '', ...PLACES].find(
  (path) => path !== '' && existsSync(path),
);

export function openBrowser(): Promise<Browser> {
  // Chromium does not start with its sandbox as root, which build machines are; it only loads our own page.
  return chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
}
