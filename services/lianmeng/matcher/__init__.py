"""The matcher: demands in, plans with held capacity out.

It owns no stream. It reads REGISTRY, the books, the trends and the alliances' facts, and writes
the alliance facts demand_accepted, proposed, repaired and no_plan through `lianmeng.alliance`.

The pure core reads in this order. What is asked, of which pool: `demand`, `question`, `index`,
`snapshot`. The problem in whole numbers: `problem`, `availability` (dated capacity),
`eligibility` (who may take part, and why not), `makers`, `movers`, `promoters`, `framing`. The
model: `days`, `formulation`, `membership_rows`, `program`, `solver`, `solving`. Back to a plan:
`decision`, `lotting`, `shipping`, `planning`, `costing`, `parties`, `standbys`, `assembly`. All
of it: `matching`, with `verify` (the independent checker), `risk`, `relaxations`; and `repair`
with `substitution`. The edge: `follow`, `service`, `consumers`, `rpc`, `wiring`.
"""
