"""The page's style sheet: one column, prints on paper, follows the reader's light or dark."""

CSS = """
:root{color-scheme:light dark;--ink:#1d1f23;--soft:#5c6270;--line:#d9dce2;--page:#fff;
--box:#f4f6f8;--mark:#0072b2;--error:#b3261e;--warning:#9a5b00;--note:#3b6ea5}
@media (prefers-color-scheme:dark){:root{--ink:#e7e9ee;--soft:#a2a9b6;--line:#383d47;--page:#15171b;
--box:#1e2127;--mark:#6bb7ea;--error:#ff8a80;--warning:#f2b45c;--note:#8fbce6}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:56rem;margin:0 auto;padding:2.2rem 1.2rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0}
h2{font-size:1.2rem;margin:2.6rem 0 .6rem;padding-top:.7rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.4rem 0 .4rem}
p{margin:.5rem 0}
.sub{color:var(--soft);margin:.3rem 0 1.2rem}
.answer{background:var(--box);border-left:4px solid var(--mark);border-radius:4px;margin:1rem 0;
padding:.8rem 1.1rem;display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem}
.answer dt{color:var(--soft)}
.answer dd{margin:0;overflow-wrap:anywhere}
.answer dd.whole{grid-column:1/-1}
figure{margin:1.1rem 0}
figure img{display:block;max-width:100%;height:auto;margin:0 auto;background:#fff;padding:.5rem;
border-radius:4px}
figcaption{color:var(--soft);font-size:.9rem;margin-top:.4rem}
.wide{overflow-x:auto;margin:.3rem 0 .8rem}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
.caption{color:var(--soft);font-size:.9rem;margin:1.1rem 0 0}
th,td{text-align:left;padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);
vertical-align:top}
th{font-weight:600;border-bottom-width:2px}
.n{text-align:right}
pre{background:var(--box);border-radius:4px;padding:.8rem 1rem;overflow-x:auto;font-size:.82rem;
line-height:1.45;font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
ul.findings{list-style:none;padding:0;margin:.6rem 0}
.findings li{border-left:4px solid var(--line);padding:.1rem 0 .1rem .9rem;margin:.9rem 0;
overflow-wrap:anywhere}
.findings .error{border-color:var(--error)}.findings .error b{color:var(--error)}
.findings .warning{border-color:var(--warning)}.findings .warning b{color:var(--warning)}
.findings .note{border-color:var(--note)}.findings .note b{color:var(--note)}
.findings small{color:var(--soft);display:block}
details{margin:.8rem 0}summary{cursor:pointer;color:var(--mark)}
a{color:var(--mark)}
footer{color:var(--soft);font-size:.85rem;margin-top:3rem;border-top:1px solid var(--line);
padding-top:.8rem}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--page:#fff;--box:#f4f4f4}
main{max-width:none;padding:0}body{font-size:10.5pt}figure,tr,li,.answer{break-inside:avoid}
h2,h3{break-after:avoid}pre{white-space:pre-wrap}details:not([open]){display:none}}
"""
