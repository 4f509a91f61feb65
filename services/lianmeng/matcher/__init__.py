"""The matcher: demands in, plans with held capacity out.

It owns no stream. It reads REGISTRY, the books, the trends and the alliances' facts, and writes
the alliance facts demand_accepted, proposed, repaired and no_plan through `lianmeng.alliance`.
The pure core reads in this order: `question` and `snapshot` (what is asked, of which pool),
`availability` (dated capacity), `eligibility` (who may take part, and why not), `problem` and
`framing` (the question in whole numbers), `formulation` and `solver` (the model), `decision`
and `planning` (back to a plan), `costing` (the landed cost), `verify` (the independent checker),
`matching` (all of it), `repair`, `standbys`, `relaxations`, `risk`.
"""
