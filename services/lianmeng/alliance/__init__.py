"""The alliance: its demand, plan, facts, states and books; pure but for `log`.

Matcher and lifecycle both write alliances, and only through this package, so one transition
table, one `evolve` and one rule for capacity hold everywhere. Read in this order: `demand`,
`plan`, `members`, `state`, `facts`, `states` (the table), `evolve` (with `forming` and `running`:
what each fact changes), `decide` (what people may do), `policy` (what happens by itself),
`reservations` and `books` (capacity), `log`.
"""
