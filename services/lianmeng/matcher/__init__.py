"""The matcher: demands in, plans with held capacity out.

Owns the plan of an alliance: it writes demand_accepted, no_plan, proposed and repaired on the
alliance's subject, with the capacity that they hold. Reads FLASH trends, the registry, the books
and what lifecycle asks of it (rematch_due, repair_requested). Keeps the pool in memory.
"""
