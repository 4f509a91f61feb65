"""What `lianmeng doctor` looks at: the machine, what runs, dead letters, the whole history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from lianmeng.alliance.checker import Violation, check
from lianmeng.alliance.wire import read_book, read_record
from lianmeng.cli.health import Finding, Health, installation, look
from lianmeng.kernel.errors import Rejected
from lianmeng.runtime.deadletters import dead_letters
from lianmeng.runtime.jetstream import Log
from lianmeng.runtime.settings import Settings, find_endpoints
from lianmeng.runtime.subjects import alliance_subject, capacity_subject, last_token


@dataclass(frozen=True, slots=True)
class Judged:
    """What the history checker found in a whole log."""

    record_count: int
    book_count: int
    violations: tuple[Violation, ...]


async def judge(nats_url: str, zone: str, now: datetime) -> Judged:
    """Check all facts and all books of a zone. `now` is story time. Raises `Transient`."""
    log = await Log.connect(nats_url, "checker")
    try:
        records = [
            (message.sequence, read_record(message.data))
            async for message in log.history(alliance_subject(zone, "*"))
        ]
        books = {
            last_token(message.subject): read_book(message.data)
            async for message in log.history(capacity_subject(zone, "*"))
        }
    finally:
        await log.close()
    return Judged(len(records), len(books), tuple(check(records, books, now)))


async def examine(settings: Settings, history: bool, now: datetime) -> Health:
    """Look at all of it; `history` asks for the check of the whole log as well."""
    findings = installation(settings)
    try:
        findings += (await look(settings)).findings
    except Rejected as error:
        findings.append(Finding("platform", False, error.message, error.hint))
        return Health(tuple(findings))
    endpoints = find_endpoints(settings)
    findings += await _dead(endpoints.nats_url, settings.zone)
    if history:
        findings += _promises(await judge(endpoints.nats_url, settings.zone, now))
    return Health(tuple(findings))


async def _dead(nats_url: str, zone: str) -> list[Finding]:
    """Dead letters by service and reason."""
    log = await Log.connect(nats_url, "doctor")
    try:
        found = Counter([(one.service, one.reason) async for one in dead_letters(log, zone)])
    finally:
        await log.close()
    hint = "the log line deadletter.put names the message; mend its source and send it again"
    return [
        Finding(f"dead letters of {service}", False, f"{count:,} × {reason}", hint)
        for (service, reason), count in sorted(found.items())
    ]


def _promises(judged: Judged) -> list[Finding]:
    size = f"{judged.record_count:,} facts, {judged.book_count:,} books"
    if not judged.violations:
        return [Finding("history", True, f"{size}: every promise holds")]
    hint = "keep the data directory and report this: it is a bug"
    return [
        Finding(one.code, False, f"{one.subject} at {one.sequence}: {one.message}", hint)
        for one in judged.violations
    ]
