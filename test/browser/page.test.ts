/**
 * The page in a real browser, in front of a fake node: what it shows, what it requests, what it survives, and whether
 * people can read it. If no Chromium is installed, all tests are counted as skipped.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { mountLive } from '../../src/servers/http/live.ts';
import { mountPage } from '../../src/servers/http/page.ts';
import { httpRoutes, openHttpServer } from '../../src/servers/http/server.ts';
import type { HttpServer } from '../../src/servers/http/server.ts';
import { chromiumPath, openBrowser } from './chromium.ts';
import { contrastFaults, semanticFaults, sizeFaults } from './page-faults.ts';
import { PageStage } from '../support/page-stage.ts';
import { repositoryRoot } from '../support/root.ts';

if (chromiumPath === undefined)
  console.log('skipped: no Chromium is installed, so the page is not looked at');

const directory = join(repositoryRoot, 'dist', 'page');
const EVERY_MS = 100;
const PHONE = { width: 360, height: 740 };
const TABLET = { width: 800, height: 1024 };
const DESK = { width: 1280, height: 900 };
const WALL = { width: 3840, height: 2160 };

let browser: Browser;
const servers: HttpServer[] = [];

async function serve(stage: PageStage, port = 0): Promise<HttpServer> {
  const mounts = [mountPage(directory), mountLive(stage.api, stage, 'shop', EVERY_MS)];
  const server = await openHttpServer(httpRoutes(stage.api, mounts), '127.0.0.1', port);
  servers.push(server);
  return server;
}

interface Opened {
  readonly page: Page;
  readonly server: HttpServer;
  readonly said: string[];
  readonly requests: string[];
}

async function open(stage: PageStage, options: BrowserContextOptions = {}): Promise<Opened> {
  const server = await serve(stage);
  const page = await browser.newPage({ viewport: DESK, ...options });
  const said: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', ({ message }) => said.push(message));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(`http://127.0.0.1:${server.port}/`);
  await page.waitForSelector('main');
  return { page, server, said, requests };
}

/** Playwright's own waiting evaluates strings, which the page's security policy forbids. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
}

/** Waits until these words appear somewhere on the page. */
const words = (page: Page, text: string, selector = 'body'): Promise<void> =>
  until(() =>
    page.evaluate(
      ([where, wanted]) => document.querySelector(where!)?.textContent?.includes(wanted!) ?? false,
      [selector, text],
    ),
  );

describe.skipIf(chromiumPath === undefined)('the page', () => {
  beforeAll(async () => {
    if (!existsSync(directory)) execFileSync(process.execPath, [join(repositoryRoot, 'scripts/build.js')]);
    browser = await openBrowser();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const server of servers.splice(0)) await server.close();
  });
  afterAll(() => browser.close());

  test('opened: nothing comes from elsewhere, nothing is complained of, all nodes are there, and figures go on', async () => {
    const { page, server, said, requests } = await open(new PageStage(8));
    await words(page, 'All is well');
    await page.waitForSelector('.ring svg .arc');
    expect(await page.locator('table.nodes tbody tr').count()).toBe(8);
    expect(await page.locator('.ring-name').count()).toBe(8);
    const figure = page.locator('.tile.read .figure');
    const seen = await figure.textContent();
    await until(async () => (await figure.textContent()) !== seen);
    expect(said).toEqual([]);
    expect(requests.length).toBeGreaterThanOrEqual(5);
    const origins = new Set(requests.map((url) => new URL(url).origin));
    expect([...origins]).toEqual([`http://127.0.0.1:${server.port}`]);
  });

  test('a member dies, another learns, PostgreSQL goes, slots are lost: each is said, and drawn', async () => {
    const stage = new PageStage(5);
    const { page } = await open(stage);
    await words(page, 'All is well');
    stage.kill('node-3');
    await words(page, 'node-3: down', '.findings');
    await page.waitForSelector('.arc.down');
    stage.learn('node-5', 0.4);
    stage.changes.set('node-5', { phase: 'learning', learnedShare: 0.4 });
    await words(page, 'node-5: learning. 40 % copied', '.findings');
    await page.waitForSelector('.arc.learning');
    stage.common = { record: { state: 'down', reason: 'refused' }, slotsLost: 17 };
    await words(page, 'PostgreSQL is down', '.findings');
    await words(page, '17 slots without an owner', '.findings');
    await words(page, 'down', '.panel-record');
    expect(await page.locator('.findings.bad').count()).toBe(1);
    for (const name of ['node-2', 'node-3', 'node-4', 'node-5']) stage.kill(name);
    await page.waitForSelector('.ring .alarm');
  });

  test('the node is started again: the page says that it shows what was, and goes on by itself', async () => {
    const stage = new PageStage(3);
    const { page, server } = await open(stage);
    await words(page, 'All is well');
    await server.close();
    await words(page, 'no connection', '.banner');
    await words(page, 'Not known', '.findings');
    expect(await page.textContent('body')).not.toContain('All is well');
    const again = await serve(stage, server.port);
    expect(again.port).toBe(server.port);
    await words(page, 'All is well');
    expect(await page.locator('.banner').count()).toBe(0);
  });

  test('a node in no cluster yet: it says what it waits for, and shows the cluster once there is one', async () => {
    const stage = new PageStage(3);
    stage.api.isAlone = true;
    stage.api.statusChanges = { phase: 'founding', leaseHeld: false };
    const { page } = await open(stage);
    await words(page, 'is in no cluster yet');
    await words(page, 'the node holds no lease');
    expect(await page.evaluate(semanticFaults)).toEqual([]);
    stage.api.isAlone = false;
    stage.api.statusChanges = {};
    await words(page, 'All is well');
  });

  test.each(['light', 'dark'] as const)('%s: every text and every arc stands out', async (colorScheme) => {
    const stage = new PageStage(12);
    const { page } = await open(stage, { colorScheme });
    await page.waitForSelector('.ring svg .arc');
    expect(await page.evaluate(contrastFaults)).toEqual([]);
    stage.kill('node-3');
    stage.common = { record: { state: 'down', reason: 'refused' }, slotsMoving: 9 };
    await words(page, 'PostgreSQL is down', '.findings');
    expect(await page.evaluate(contrastFaults)).toEqual([]);
  });

  test('the switch: it turns the colours over, and the choice outlives a reload', async () => {
    const { page } = await open(new PageStage(3), { colorScheme: 'light' });
    const ground = (): Promise<string> =>
      page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByText('Dark', { exact: true }).click();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.waitForSelector('main');
    expect(await ground()).toBe(dark);
  });

  test.each([
    ['a phone', PHONE],
    ['a tablet', TABLET],
    ['a desk', DESK],
    ['a wall', WALL],
  ])('on %s: everything is in its place, and large enough', async (_name, viewport) => {
    const stage = new PageStage(8);
    stage.kill('node-3');
    stage.members.set('node-4', {
      slow: 'taken out as slow: it answers after 210 ms, the others after 4 ms',
    });
    const { page } = await open(stage, { viewport });
    await page.waitForSelector('.ring svg .arc');
    expect(await page.evaluate(sizeFaults)).toEqual([]);
    const size = await page.evaluate(() => parseFloat(getComputedStyle(document.body).fontSize));
    expect(size).toBeGreaterThanOrEqual(viewport.width / 240 > 12 ? 28 : 14);
  });

  test('by keyboard alone, and for who does not see it: all is reached, named and told', async () => {
    const { page } = await open(new PageStage(3));
    await page.waitForSelector('.ring svg .arc');
    expect(await page.evaluate(semanticFaults)).toEqual([]);
    const reached: (string | null)[] = [];
    for (let presses = 0; presses < 4; presses += 1) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => document.activeElement!.getAttribute('role')));
      if (reached.at(-1) === 'slider') break;
    }
    expect(reached.at(-1)).toBe('slider');
    await page.keyboard.press('ArrowRight');
    const ring = page.getByRole('slider');
    await page.waitForSelector('.ring .pointed');
    const first = await ring.getAttribute('aria-valuetext');
    expect(first).toMatch(/^[\d,]+ slots: node-1 serves, node-\d serves, node-\d serves$/);
    await page.keyboard.press('End');
    await until(async () => (await ring.getAttribute('aria-valuetext')) !== first);
    expect(await ring.getAttribute('aria-valuetext')).toContain('node-3 serves');
    await page.keyboard.press('Escape');
    await page.waitForSelector('.ring .pointed', { state: 'detached' });
  });

  test('who wants no motion: nothing moves', async () => {
    const stage = new PageStage(3);
    stage.learn('node-3', 0.5);
    const moving = ({ page }: Opened): Promise<number> =>
      page.evaluate(() => document.getAnimations().length);
    const still = await open(stage, { reducedMotion: 'reduce' });
    await still.page.waitForSelector('.arc.learning');
    expect(await moving(still)).toBe(0);
    const lively = await open(stage, { reducedMotion: 'no-preference' });
    await lively.page.waitForSelector('.arc.learning');
    expect(await moving(lively)).toBeGreaterThan(0);
  });

  test('what looks for faults finds them', async () => {
    const { page } = await open(new PageStage(3));
    await page.evaluate(() => {
      const bad = document.createElement('div');
      bad.innerHTML = '<p>pale</p><input><svg></svg><section></section>';
      (bad.firstChild as HTMLElement).style.cssText =
        'color: #bbb; background: #fff; font-size: 9px; width: 5000px';
      document.querySelector('#page')!.append(bad);
    });
    expect((await page.evaluate(contrastFaults)).join()).toContain('pale');
    expect((await page.evaluate(semanticFaults)).length).toBeGreaterThanOrEqual(3);
    expect((await page.evaluate(sizeFaults)).join()).toMatch(/wider.*small/s);
  });
});
