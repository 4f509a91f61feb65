"""All metrics of the platform, each with the question that it answers.

Label values come from closed sets (names of calls, consumers, views, outcomes), never from ids.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, start_http_server

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

# How many calls come in, and how they end (`status`: name of the gRPC status)?
CALLS = Counter("lianmeng_calls", "Calls by their end.", ["call", "status"])
# How long does a call take (seconds)?
CALL_SECONDS = Histogram("lianmeng_call_seconds", "Duration of calls.", ["call"], buckets=_FAST)

# Can this process reach the log (1) or not (0)?
LOG_CONNECTED = Gauge("lianmeng_log_connected", "Whether NATS can be reached.")
# How do writes to the log end (`outcome`: stands, conflict, unknown, unavailable)?
LOG_WRITES = Counter("lianmeng_log_writes", "Writes by their end.", ["kind", "outcome"])
# How long does a write take until it is acknowledged (seconds; `kind`: publish, commit)?
LOG_WRITE_SECONDS = Histogram(
    "lianmeng_log_write_seconds", "Time to acknowledgement.", ["kind"], buckets=_FAST
)

# What do the durable consumers do with messages (`outcome`: done, failed, buried)?
MESSAGES = Counter("lianmeng_messages", "Messages by their end.", ["consumer", "outcome"])
# How long does one handler call take (seconds)?
MESSAGE_SECONDS = Histogram(
    "lianmeng_message_seconds", "Duration of handlers.", ["consumer"], buckets=_FAST
)
# How many messages wait for a consumer?
BACKLOG = Gauge("lianmeng_backlog", "Messages not yet delivered.", ["consumer"])

# How far is a view behind the log (messages)?
VIEW_BACKLOG = Gauge("lianmeng_view_backlog", "Messages not yet in the view.", ["view"])
# How often was a view built from nothing?
VIEW_REBUILDS = Counter("lianmeng_view_rebuilds", "Rebuilds of a view.", ["view"])

# How many signals were accepted, refused, or recognised as duplicates?
SIGNALS = Counter("lianmeng_signals", "Signals by their end.", ["outcome"])
# How many trends were detected, updated, over?
TRENDS = Counter("lianmeng_trends", "Facts of trends.", ["fact"])
# How long does the solver work on one plan (seconds)?
SOLVE_SECONDS = Histogram("lianmeng_solve_seconds", "Duration of the solver.", buckets=_SLOW)
# How many plans were found, and for which reasons was there none?
PLANS = Counter("lianmeng_plans", "Plans by their end.", ["outcome"])
# How many facts do alliances produce, by kind?
FACTS = Counter("lianmeng_alliance_facts", "Facts of alliances.", ["fact"])
# How long is it from a trend's fact to the invitations (seconds of wall time)?
FORMATION_SECONDS = Histogram(
    "lianmeng_formation_seconds", "From trend to invitations.", buckets=_SLOW
)
# How late do timers come (seconds of wall time)?
TIMER_LATENESS_SECONDS = Histogram(
    "lianmeng_timer_lateness_seconds", "Delay of timers.", buckets=_SLOW
)


def start_metrics(port: int, host: str = "127.0.0.1") -> int:
    """Serve the metrics over HTTP in a thread that ends with the process.

    Port 0 = any free one; returns the port. Raises `OSError` when the port is taken.
    """
    server, _thread = start_http_server(port, addr=host)
    bound: int = server.server_port
    return bound
