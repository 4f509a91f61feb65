"""Lifecycle: what becomes of an alliance once it has a plan, and what people do with it.

It owns `LifecycleService`. It writes facts of alliances (all but those of the matcher) to the
stream ALLIANCES through `lianmeng.alliance`, and reads that stream, its due timers, TRENDS and
REGISTRY. In Valkey it keeps a read model of alliances by firm and state, rebuilt from the log.

Modules by concept: `commands` (a command comes again), `visibility` and `fact_visibility` (who
may see what), `firm_views` and `changes` (what a firm is told), `trend_effects` and
`capacity_effects` (what a trend or new capacity does to an alliance), `facts_told` (log lines);
at the edge `log`, `service` (commands), `automation` and `sweeping` (what happens by itself),
`rematching`, `consumers`, `living` (what lives now), `views`, `watching`, `queries`, `rpc`,
`wiring`.
"""
