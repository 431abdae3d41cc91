/** How the report looks: one type scale, light and dark, on paper too. All of it is in the page: nothing is fetched. */

const LIGHT = `
  --paper: #fcfcfb; --panel: #ffffff; --ink: #1b1d22; --soft: #585d68; --rule: #e1e3e8; --grid: #e8eaee; --base: #8a909c;
  --link: #1d55a8; --good: #12693c; --good-paper: #e3f4ea; --bad: #a3211a; --bad-paper: #fce8e6;
  --c0: #2463b4; --c1: #bd440c; --c2: #0c716a; --c3: #7a3fc4; --c4: #8d6208; --c5: #b61f63;`;

const DARK = `
  --paper: #121418; --panel: #181b20; --ink: #e7e9ee; --soft: #a4aab6; --rule: #2c3038; --grid: #272b33; --base: #6d7482;
  --link: #8db9ff; --good: #74d8a0; --good-paper: #15301f; --bad: #ff9d94; --bad-paper: #3a1a18;
  --c0: #79aefc; --c1: #ff9c66; --c2: #53d6c6; --c3: #c3a6ff; --c4: #e4bf4e; --c5: #ff92c0;`;

export const STYLE = `
:root { color-scheme: light; ${LIGHT} }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; ${DARK} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums lining-nums;
}
main, header, footer { max-width: 66rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 4rem; }
footer { padding-top: 1.5rem; padding-bottom: 4rem; color: var(--soft); font-size: .875rem; }
p, ul, ol { max-width: 44rem; }
p { margin: 0 0 1rem; }
h1 { font-size: 2.25rem; line-height: 1.15; letter-spacing: -.02em; font-weight: 650; margin: .5rem 0 1rem; max-width: 48rem; text-wrap: balance; }
h2 { font-size: 1.375rem; line-height: 1.3; letter-spacing: -.01em; font-weight: 650; margin: 4rem 0 1.25rem; }
h3 { font-size: 1.0625rem; line-height: 1.35; font-weight: 650; margin: 0 0 .25rem; }
h4 { font-size: .875rem; font-weight: 600; margin: 1rem 0 .25rem; }
a { color: var(--link); overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.kicker { color: var(--soft); font-size: .875rem; margin: 0; }
.question { font-size: 1.25rem; line-height: 1.5; color: var(--soft); max-width: 46rem; margin: 0 0 1.5rem; text-wrap: pretty; }
.question.long { font-size: 1.0625rem; line-height: 1.6; }
.facts { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin: 2rem 0 0; padding: 1.25rem 0 0; border-top: 1px solid var(--rule); }
.facts div { min-width: 0; }
.facts dt { color: var(--soft); font-size: .8125rem; }
.facts dd { margin: 0; font-weight: 600; }
.summary li { margin-bottom: .5rem; }
ul, ol { padding-left: 1.25rem; }
.code, code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: .8125rem; font-weight: 400; overflow-wrap: anywhere; }
.meaning, .note { color: var(--soft); font-size: .875rem; line-height: 1.5; margin-bottom: .75rem; }
pre { margin: 0 0 1rem; padding: 1rem 1.25rem; background: var(--panel); border: 1px solid var(--rule); border-radius: .5rem; overflow-x: auto; max-width: 44rem; white-space: pre-wrap; }
.verdict { display: inline-block; padding: .0625rem .5625rem; border-radius: 1rem; font-size: .8125rem; font-weight: 600; white-space: nowrap; }
.agrees { color: var(--good); background: var(--good-paper); }
.differs { color: var(--bad); background: var(--bad-paper); }
.scroll { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.45; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: .625rem 1.25rem .625rem 0; border-bottom: 1px solid var(--rule); font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: .8125rem; padding-top: 0; white-space: nowrap; border-bottom-color: var(--base); }
.number { text-align: right; white-space: nowrap; }
th strong, .figure { font-weight: 600; }
small { display: block; color: var(--soft); font-size: .8125rem; line-height: 1.45; font-weight: 400; }
.stacked th[scope="row"] { min-width: 14rem; max-width: 26rem; } .stacked td { min-width: 5rem; }
.parameters th { width: 40%; }
.figures, .panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 3rem; }
figure { margin: 0; min-width: 0; max-width: 40rem; }
figure.wide { grid-column: 1 / -1; max-width: none; }
.panels { gap: 1rem 3rem; }
.plot { display: block; width: 100%; height: auto; overflow: visible; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; margin: 0 0 .5rem; padding: 0; font-size: .8125rem; color: var(--soft); max-width: none; }
.legend li { display: flex; align-items: center; gap: .4375rem; }
.swatch { width: 26px; height: 14px; flex: none; }
svg text { font-size: 12px; fill: var(--soft); }
svg text.label { font-size: 12px; fill: var(--soft); font-weight: 600; }
svg text.name { fill: var(--ink); }
.grid { stroke: var(--grid); } .base { stroke: var(--base); }
.c0 { color: var(--c0); } .c1 { color: var(--c1); } .c2 { color: var(--c2); } .c3 { color: var(--c3); } .c4 { color: var(--c4); } .c5 { color: var(--c5); }
.c0, .c1, .c2, .c3, .c4, .c5 { fill: currentColor; }
.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.band { fill: currentColor; fill-opacity: .18; stroke: none; }
.hollow { fill: var(--paper); stroke: currentColor; stroke-width: 2; }
.whisker { stroke: currentColor; stroke-width: 1.5; } .interval { stroke: currentColor; stroke-width: 7; stroke-opacity: .3; stroke-linecap: butt; }
.expected { fill: none; stroke: var(--ink); stroke-width: 1.5; }
details { margin-top: .75rem; font-size: .875rem; }
summary { cursor: pointer; color: var(--soft); width: max-content; }
details[open] summary { margin-bottom: .75rem; }
.more { margin-top: 3rem; } .more > summary { font-size: 1rem; font-weight: 600; } .more[open] > summary { margin-bottom: 2rem; }
th.wide { min-width: 15rem; max-width: 26rem; }
.hash { display: block; }
@media (max-width: 40rem) {
  header { padding-top: 2rem; } main, header, footer { padding-left: 1.125rem; padding-right: 1.125rem; }
  h1 { font-size: 1.75rem; } .question { font-size: 1.125rem; } h2 { margin-top: 3rem; } .figures { gap: 2.5rem; }
  .question.long { font-size: 1.0625rem; line-height: 1.6; }
.facts { gap: .75rem 1.75rem; }
}
@media screen and (max-width: 40rem) {
  .stacked, .stacked tbody, .stacked tr, .stacked th, .stacked td { display: block; } .stacked thead { display: none; }
  .stacked tr { padding: .875rem 0; border-bottom: 1px solid var(--rule); }
  .stacked th, .stacked td { border: 0; padding: .125rem 0; text-align: left; max-width: none; white-space: normal; }
  .stacked td { display: grid; grid-template-columns: 6.5rem 1fr; } .stacked td::before { content: attr(data-label); color: var(--soft); }
  .stacked td small { grid-column: 2; white-space: normal; } .stacked .verdict { width: max-content; }
}
@media print {
  @page { margin: 18mm 16mm; }
  html { font-size: 9.5pt; } body { background: none; } main, header, footer { max-width: none; padding: 0; } header { padding-top: 0; }
  h2 { margin-top: 2.75rem; break-after: avoid; } h3, h4, .meaning, .legend { break-after: avoid; }
  figure:not(.wide), .panels > div, tr, pre, .question.long { font-size: 1.0625rem; line-height: 1.6; }
.facts { break-inside: avoid; } .figures { grid-template-columns: 1fr 1fr; gap: 8mm; }
  details { display: none; } .scroll { overflow: visible; } a { color: inherit; }
  .band, .interval, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
