/** The style of the report's page: one set of names for colours, each with its value in light and in dark mode. */

const LIGHT = {
  paper: '#f6f7f9',
  card: '#ffffff',
  ink: '#1c2330',
  muted: '#5d687a',
  grid: '#e3e6ec',
  ok: '#4f86d9',
  definite: '#e0a100',
  indefinite: '#d64545',
  stall: 'rgb(214 69 69 / 0.16)',
  process: '#8a4fd0',
  network: '#1f8a9e',
  postgres: '#2f6db5',
  legacy: '#b26a00',
  machine: '#b83a7b',
  serving: '#58a55c',
  leaseless: '#e0a100',
  learning: '#6aa7e8',
  entering: '#aab3c2',
  silent: '#48505f',
  good: '#2e7d36',
  bad: '#c62f2f',
};

const DARK: typeof LIGHT = {
  paper: '#12161d',
  card: '#1a2029',
  ink: '#e5e9f0',
  muted: '#98a3b5',
  grid: '#2b3340',
  ok: '#5f97ea',
  definite: '#e9b949',
  indefinite: '#ef6a6a',
  stall: 'rgb(239 106 106 / 0.2)',
  process: '#b18af0',
  network: '#45b8cc',
  postgres: '#6ea8ef',
  legacy: '#e29b45',
  machine: '#e479ad',
  serving: '#5fae63',
  leaseless: '#e9b949',
  learning: '#6aa7e8',
  entering: '#657085',
  silent: '#c9d0dc',
  good: '#4caf57',
  bad: '#e5534b',
};

const FILLS = ['ok', 'definite', 'indefinite', 'process', 'network', 'postgres', 'legacy', 'machine'];
const STATES = ['serving', 'leaseless', 'learning', 'entering', 'silent'];
const FAMILIES = ['process', 'network', 'postgres', 'legacy', 'machine'];

function names(colours: Readonly<Record<string, string>>): string {
  return Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour};`)
    .join('');
}

export const PAGE_STYLE = `
:root{color-scheme:light dark;${names(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${names(DARK)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px 20px 60px}
h1{font-size:26px;margin:0 0 6px}h2{font-size:16px;margin:0 0 10px}p{margin:0 0 4px}
.muted{color:var(--muted)}
.verdict{font-size:14px;font-weight:600;padding:3px 12px;border-radius:99px;color:#fff;vertical-align:4px;margin-left:8px}
.passed{background:var(--good)}.failed{background:var(--bad)}
section{background:var(--card);border:1px solid var(--grid);border-radius:10px;padding:16px 18px;margin-top:16px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(125px,1fr));gap:14px 10px}
.tile b{display:block;font-size:20px;font-variant-numeric:tabular-nums;white-space:nowrap}
.tile span{color:var(--muted);font-size:13px;line-height:1.25;display:block}
.broken{border-color:var(--bad)}.broken h2{color:var(--bad)}.broken ul{margin:0;padding-left:18px}
.broken pre{margin:0 0 6px;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.4 ui-monospace,monospace}
.picture{overflow-x:auto}.picture>svg{display:block;width:100%;min-width:760px;height:auto}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin-bottom:12px;color:var(--muted);font-size:13px}
.legend span{display:inline-flex;align-items:center;gap:5px}.legend svg{width:12px;height:12px}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:0 16px}.columns>section{overflow-x:auto;min-width:0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{color:var(--muted);font-weight:500;font-size:13px}
th,td{text-align:right;padding:4px 6px;border-bottom:1px solid var(--grid);white-space:nowrap}
tbody tr:last-child td{border-bottom:0}
.text{text-align:left;white-space:normal}
dl{display:grid;grid-template-columns:auto 1fr;gap:6px 14px;margin:0}dt{color:var(--muted)}dd{margin:0}
summary{cursor:pointer;font-weight:600}details[open] summary{margin-bottom:10px}
.dot{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:8px}
.title{font-size:13px;font-weight:600;fill:var(--ink)}
.label{font-size:12px;fill:var(--ink)}.tick{font-size:11px;fill:var(--muted)}
.grid{stroke:var(--grid);stroke-width:1}
.stall{fill:var(--stall)}
.missed{fill:none;stroke:var(--muted);stroke-dasharray:3 2}
.line-p50,.line-p99,.line-epoch{fill:none;stroke-width:1.6;stroke-linejoin:round}
.line-p50,.stroke-p50{stroke:var(--ok)}.line-p99,.stroke-p99{stroke:var(--machine)}.line-epoch{stroke:var(--ink)}
.stroke-p50{fill:var(--ok)}.stroke-p99{fill:var(--machine)}
${FILLS.map((name) => `.fill-${name}{fill:var(--${name})}`).join('')}
${STATES.map((name) => `.node-${name}{fill:var(--${name})}`).join('')}
${FAMILIES.map((name) => `.dot-${name}{background:var(--${name})}`).join('')}
`;
