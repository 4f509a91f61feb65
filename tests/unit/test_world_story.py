"""What a run plays and shows, without a platform: signals by the hour, parts, the page."""

from __future__ import annotations

import base64
import json
import lzma
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lianmeng.kernel.signals import Metric, SignalBatch, SignalKey
from lianmeng.pool.csv_files import write_pool, write_signal_file
from lianmeng.v1 import alliance_pb2, trend_pb2
from lianmeng.world.agents import Parts
from lianmeng.world.cast import MILLS, TRADER
from lianmeng.world.casting import cast, concerned_firms
from lianmeng.world.counts import HOUR_S
from lianmeng.world.firms import example_pool
from lianmeng.world.page.axes import Days
from lianmeng.world.page.page import page
from lianmeng.world.page.story import Judgement, Name, Told
from lianmeng.world.page.svg import el, rect
from lianmeng.world.products import SHAWL
from lianmeng.world.script import DAY0, Script, own_files
from lianmeng.world.slices import about, hourly

GOLDEN = Path(__file__).parents[1] / "golden" / "v0.1.jsonl.xz"
START_S = int(DAY0.timestamp())
SHAWL_TH, SCARF_TH = SignalKey("shawl", "TH"), SignalKey("scarf", "TH")


def batch(*rows: tuple[int, int, int]) -> SignalBatch:
    """Rows of (seconds after the start, key, count)."""
    return SignalBatch(
        source="s",
        source_sequence=7,
        keys=(SHAWL_TH, SCARF_TH),
        time_s=tuple(START_S + after for after, _, _ in rows),
        key_index=tuple(key for _, key, _ in rows),
        metric=(Metric.VIEW,) * len(rows),
        count=tuple(count for _, _, count in rows),
    )


def test_signals_are_cut_by_the_hour_and_none_is_lost() -> None:
    whole = [batch((0, 0, 1), (HOUR_S + 5, 1, 2), (10, 1, 3)), batch((HOUR_S + 9, 0, 4))]
    parts = list(hourly(whole))
    assert [part.source_sequence for part in parts] == [1, 2, 3]
    assert all(len({time_s // HOUR_S for time_s in part.time_s}) == 1 for part in parts)
    assert Counter(c for part in parts for c in part.count) == Counter([1, 2, 3, 4])
    assert parts[0].account_hash == ()


def test_signals_about_some_things_keep_their_columns_together() -> None:
    (kept,) = about([batch((0, 0, 1), (1, 1, 2), (2, 0, 3)), batch((3, 1, 4))], {SHAWL_TH})
    assert (kept.count, kept.key_index) == ((1, 3), (0, 0))


def script(**changes: object) -> Script:
    pool = example_pool(DAY0.date(), DAY0)
    fields: dict[str, object] = {
        "firms": pool.firms,
        "nodes": pool.nodes,
        "products": pool.products,
        "signals": (batch((5, 0, 1)),),
        "start": DAY0,
        "trends_until": DAY0,
        "seed": 1,
        "expected": frozenset({SHAWL}),
        **changes,
    }
    return Script(**fields)  # type: ignore[arg-type]


def test_a_script_ends_with_its_last_signal() -> None:
    assert script().ends == DAY0 + timedelta(seconds=5)


def test_those_who_could_be_invited_have_agents() -> None:
    found = concerned_firms(script())
    assert {mill.slug for mill in MILLS} <= set(found)
    assert TRADER in found
    assert found == sorted(set(found))


def test_own_files_begin_after_a_warm_up(tmp_path: Path) -> None:
    pool = example_pool(DAY0.date(), DAY0)
    write_pool(tmp_path, pool.firms, pool.nodes, pool.products)
    days = [batch((day * 86_400, 0, 1)) for day in range(40)]
    signals = write_signal_file(tmp_path / "signals.csv", days)
    read = own_files(tmp_path, signals, 3)
    assert read.pool.imported.errors == []
    assert read.script.start == DAY0 + timedelta(days=14)
    assert len(read.script.firms) == len(pool.firms)
    assert read.script.expected == frozenset()
    few = write_signal_file(tmp_path / "few.csv", days[:9])
    assert own_files(tmp_path, few, 3).script.start == DAY0 + timedelta(days=4)


def history() -> tuple[list[alliance_pb2.AllianceRecord], list[trend_pb2.Trend]]:
    """The recorded history of a run."""
    records, trends = [], []
    for line in lzma.decompress(GOLDEN.read_bytes()).decode().splitlines():
        entry = json.loads(line)
        data = base64.b64decode(entry["data"])
        if entry["subject"].startswith("alliances."):
            records.append(alliance_pb2.AllianceRecord.FromString(data))
        elif entry["subject"].startswith("trends."):
            trends.append(trend_pb2.Trend.FromString(data))
    return records, trends


def told() -> Told:
    records, trends = history()
    firms = {i.firm_id for record in records for i in record.state.invitations}
    return Told(
        start=min(record.time.ToDatetime(tzinfo=UTC) for record in records),
        wall_s=80.0,
        firm_count=296,
        node_count=295,
        signal_count=176_348,
        names={firm: Name("围巾厂 <b>", firm) for firm in firms},
        trends=trends,
        records=records,
        judgements=[Judgement("nothing hangs", False, "a-1 & more")],
        commands=[("start it again", "lianmeng up --home x")],
    )


class Outside(HTMLParser):
    """Notes whatever a page would load from elsewhere, and which tags are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "srcset")]
        if tag in ("script", "link", "iframe", "img"):
            self.loads.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    text = page(told())
    outside = Outside()
    outside.feed(text)
    assert outside.loads == []
    assert outside.open == []
    assert "url(" not in text
    assert "@import" not in text


def test_the_page_shows_each_alliance_and_escapes_names() -> None:
    story = told()
    text = page(story)
    for alliance in story.alliances:
        assert text.count(alliance.state.alliance_id) >= 2
        assert f"Flow of goods: {alliance.product}" in text
    assert (
        "<b>" not in text.replace("<b>296", "").replace("<b>295", "") or "围巾厂 &lt;b&gt;" in text
    )
    assert "nothing hangs: a-1 &amp; more" in text


def test_its_drawings_are_well_formed() -> None:
    text = page(told())
    drawings = [part.split("</svg>")[0] + "</svg>" for part in text.split("<svg")[1:]]
    assert len(drawings) > 5
    for drawing in drawings:
        ET.fromstring("<svg" + drawing)


def test_a_story_without_alliances_has_a_page_too() -> None:
    story = told()
    empty = replace(story, records=[], trends=[])
    assert "No alliance was formed" in page(empty)


@pytest.mark.parametrize(("day", "x"), [(0.0, 10.0), (5.0, 60.0), (10.0, 110.0), (99.0, 110.0)])
def test_days_lie_on_an_axis(day: float, x: float) -> None:
    assert Days(0.0, 10.0, 10.0, 110.0).x(day) == x


def test_markup_is_escaped_where_it_is_text() -> None:
    assert el("p", class_="a", data_x='"<') == '<p class="a" data-x="&quot;&lt;"></p>'
    assert "&lt;i&gt;" in rect(0, 0, 1, 1, "bar", "<i>")


def test_the_parts_go_to_the_first_major_alliance_only() -> None:
    record = alliance_pb2.AllianceRecord(alliance_id="a-1")
    plan = record.state.plan
    for firm, units in (("big", 900), ("small", 100), ("middle", 500)):
        plan.lots.add(firm_id=firm, units=units, source=alliance_pb2.LOT_SOURCE_FACTORY)
    plan.lots.add(firm_id="owner", units=10, source=alliance_pb2.LOT_SOURCE_STOCK)
    plan.campaigns.add(firm_id="agency")
    parts = Parts()
    cast(parts, record)
    assert not parts.decliners, "it is minor"
    record.state.approval.by = "zone-manager"
    cast(parts, record)
    assert parts == Parts({("a-1", "small")}, {("a-1", "agency")}, {("a-1", "middle")})
    record.alliance_id = "a-2"
    cast(parts, record)
    assert ("a-2", "small") not in parts.decliners


def test_a_clock_is_local() -> None:
    moment = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
    story = replace(told(), start=DAY0)
    assert story.clock(moment) == "day 0 16:05"
    assert story.clock(moment + timedelta(days=3)) == "day 3 16:05"
