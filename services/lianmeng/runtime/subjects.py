"""The names of streams and subjects of a zone. Nothing else builds a subject by hand."""

from __future__ import annotations

from enum import StrEnum


class Stream(StrEnum):
    """The five streams of a zone; the name on the server is `<NAME>_<ZONE>`."""

    REGISTRY = "REGISTRY"
    SIGNALS = "SIGNALS"
    TRENDS = "TRENDS"
    ALLIANCES = "ALLIANCES"
    DEADLETTERS = "DEADLETTERS"


ROOTS = {
    "firms": Stream.REGISTRY,
    "nodes": Stream.REGISTRY,
    "products": Stream.REGISTRY,
    "principals": Stream.REGISTRY,
    "signals": Stream.SIGNALS,
    "trends": Stream.TRENDS,
    "alliances": Stream.ALLIANCES,
    "capacity": Stream.ALLIANCES,
    "timers": Stream.ALLIANCES,
    "due": Stream.ALLIANCES,
    "deadletters": Stream.DEADLETTERS,
}
"""First token of a subject → the stream that holds it."""


def stream_name(stream: Stream, zone: str) -> str:
    """The stream's name on the server: `ALLIANCES_ZJ`."""
    return f"{stream}_{zone.upper()}"


def stream_of(subject: str) -> str:
    """The name of the stream that holds `subject`, or what matches it as a filter."""
    root, zone, _ = subject.split(".", 2)
    return stream_name(ROOTS[root], zone)


def last_token(subject: str) -> str:
    """The id that a subject ends with."""
    return subject.rsplit(".", 1)[-1]


def firm_subject(zone: str, firm: str) -> str:
    """All versions of a firm. `*` as the id matches all firms; so for the others."""
    return f"firms.{zone}.{firm}"


def node_subject(zone: str, node: str) -> str:
    """All versions of a node."""
    return f"nodes.{zone}.{node}"


def product_subject(zone: str, product: str) -> str:
    """All versions of a product."""
    return f"products.{zone}.{product}"


def principal_subject(zone: str, principal: str) -> str:
    """All versions of a principal and its keys."""
    return f"principals.{zone}.{principal}"


def signal_subject(zone: str, partition: str) -> str:
    """The signal batches of one partition."""
    return f"signals.{zone}.{partition}"


def trend_subject(zone: str, trend: str) -> str:
    """The facts of one trend episode."""
    return f"trends.{zone}.{trend}"


def alliance_subject(zone: str, alliance: str) -> str:
    """The facts of one alliance; the last is the aggregate."""
    return f"alliances.{zone}.{alliance}"


def capacity_subject(zone: str, resource: str) -> str:
    """The book of one resource; only the last is kept."""
    return f"capacity.{zone}.{resource}"


def timer_subject(zone: str, alliance: str) -> str:
    """Where the schedule of an alliance's one timer waits."""
    return f"timers.{zone}.{alliance}"


def due_subject(zone: str, alliance: str) -> str:
    """Where an alliance's timer is delivered when it is due."""
    return f"due.{zone}.{alliance}"


def deadletter_subject(zone: str, service: str) -> str:
    """What a service could not process."""
    return f"deadletters.{zone}.{service}"
