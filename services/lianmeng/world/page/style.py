"""How the page looks: one style sheet, light and dark, on paper too."""

CSS = """
:root{--bg:#fbfaf7;--card:#fff;--ink:#1d2327;--soft:#5d6a72;--line:#dfe3e2;--faint:#eef0ef;
--a0:#0f7b83;--a1:#b4532a;--a2:#5b5fc7;--a3:#7c8a1f;--w0:#d9a441;--w1:#2a9d8f;--w2:#4a7fb5;
--good:#2e8b57;--bad:#c0392b;--warn:#d08700;--accent:#0f7b83}
@media(prefers-color-scheme:dark){:root{--bg:#14191c;--card:#1c2327;--ink:#e8ecec;--soft:#9fb0b6;
--line:#334046;--faint:#242d32;--a0:#4fc1c9;--a1:#e58a5c;--a2:#9a9df0;--a3:#c0cf5a;--w0:#e3b65c;
--w1:#4fc3b3;--w2:#7fb0e0;--good:#5fc98c;--bad:#ef7565;--warn:#f0b43c;--accent:#4fc1c9}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,
"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:1120px;margin:0 auto;padding:32px 20px 80px}
h1{font-size:34px;line-height:1.15;margin:0 0 8px;letter-spacing:-.01em}
h2{font-size:22px;margin:56px 0 6px}h3{font-size:16px;margin:26px 0 6px}
p{max-width:74ch;margin:6px 0 12px}.lead{font-size:18px}.soft,figcaption{color:var(--soft)}
figcaption{font-size:14px;max-width:84ch}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:1px;
background:var(--line);border:1px solid var(--line);border-radius:10px;overflow:hidden;
margin:22px 0}
.numbers div{background:var(--card);padding:12px 14px}.numbers b{display:block;font-size:24px;
font-variant-numeric:tabular-nums}.numbers span{color:var(--soft);font-size:13px}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:20px 22px;
margin:18px 0}.card>h2{margin-top:0}
.a0h{border-top:4px solid var(--a0)}.a1h{border-top:4px solid var(--a1)}
.a2h{border-top:4px solid var(--a2)}.a3h{border-top:4px solid var(--a3)}
figure{margin:14px 0;overflow-x:auto}figure>svg{min-width:760px}
svg{width:100%;height:auto;display:block;font-size:12px}svg text{fill:var(--ink)}
.mono,code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
svg .tick{fill:var(--soft);font-size:11px}svg .label{font-size:12px}svg .name{font-weight:600;
font-size:13px}svg .inbar{fill:#fff;font-size:11px}svg .struck{text-decoration:line-through;
fill:var(--soft)}
.grid{stroke:var(--line)}.grid.faint{stroke:var(--faint)}.axis{stroke:var(--soft)}
.a0{fill:var(--a0)}.a1{fill:var(--a1)}.a2{fill:var(--a2)}.a3{fill:var(--a3)}
svg text.a0{fill:var(--a0)}svg text.a1{fill:var(--a1)}svg text.a2{fill:var(--a2)}
svg text.a3{fill:var(--a3)}
.stay{fill:#8a949a}.stay.matching,.stay.proposed{fill:#8a949a}.stay.awaiting_approval{fill:#9b59b6}
.stay.inviting{fill:#d08700}.stay.active{fill:#2e8b57}.stay.repairing{fill:#c0392b}
.stay.winding_down{fill:#4a7fb5}.stay.dissolved{fill:#34495e}.stay.formation_failed,
.stay.rejected,.stay.infeasible{fill:#7f1d1d}
.mark.good{fill:var(--good)}.mark.bad{fill:var(--bad)}.mark.warn{fill:var(--warn)}
.mark.done{fill:var(--w2)}
.link{fill:none;stroke-opacity:.55}.link:hover{stroke-opacity:.9}.link.w0{stroke:var(--w0)}
.link.w1{stroke:var(--w1)}.link.w2{stroke:var(--w2)}.link.promoted{stroke:var(--soft);
stroke-opacity:.25}.node{fill:var(--ink)}
.room{fill:var(--faint);stroke:var(--line)}.freed{fill:none;stroke:var(--soft);
stroke-dasharray:3 2}
.task{fill:var(--w1)}.task.waited{fill:var(--w2);opacity:.55}.task.failed{fill:var(--bad)}
.due{stroke:var(--ink);stroke-width:2}.due.lost{stroke:var(--line)}
.band{fill:var(--accent);opacity:.16}.p50{fill:none;stroke:var(--accent);stroke-width:2}
.phase{stroke:var(--soft);stroke-dasharray:2 3}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:8px 26px}
.pair figure{margin:6px 0}.pair figure>svg{min-width:0}
.key{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:13px;color:var(--soft);padding:0;
margin:4px 0;list-style:none}.key i,.legend i{display:inline-block;width:12px;height:12px;
border-radius:3px;margin-right:6px;vertical-align:-1px}
.cost{display:flex;height:26px;border-radius:6px;overflow:hidden;gap:1px}.cost span{min-width:2px}
.legend{display:flex;flex-wrap:wrap;gap:2px 18px;list-style:none;padding:0;margin:8px 0;
font-size:13px}
.c0{background:#2a9d8f}.c1{background:#7fc8bf}.c2{background:#b7d7ea}.c3{background:#4a7fb5}
.c4{background:#27496d}.c5{background:#d9a441}.c6{background:#e9c46a}.c7{background:#e08e45}
.c8{background:#b0b7bb}.c9{background:#c0392b}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px;margin:6px 0}
th{text-align:left;color:var(--soft);font-weight:600;border-bottom:2px solid var(--line)}
th,td{padding:5px 10px 5px 0;vertical-align:top}td{border-bottom:1px solid var(--faint)}
td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tfoot td{font-weight:700;border-top:2px solid var(--line)}
.checks{list-style:none;padding:0}.checks li{padding:3px 0 3px 28px;position:relative}
.checks li:before{content:"✓";position:absolute;left:4px;color:var(--good);font-weight:700}
.checks li.broken:before{content:"✗";color:var(--bad)}
pre{background:var(--faint);border-radius:8px;padding:12px 14px;overflow-x:auto;font-size:14px}
details summary{cursor:pointer;color:var(--accent)}
@media print{body{background:#fff}.card{break-inside:avoid}}
"""
