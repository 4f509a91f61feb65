from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianmeng.kernel.errors import Rejected
from lianmeng.kernel.money import EXPONENTS, Money
from lianmeng.kernel.signals import Metric, SignalBatch, SignalKey
from lianmeng.pool import csv_cells, csv_tables
from lianmeng.pool.csv_files import (
    describe_files,
    read_pool,
    read_signals,
    write_pool,
    write_signal_file,
)
from lianmeng.pool.csv_rows import read_rows
from lianmeng.pool.csv_signals import account_hash
from lianmeng.pool.nodes import Logistics, Manufacturing
from lianmeng.world.firms import build_pool, example_pool

MONDAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)

FIRM = "firm_id,uscc,name_zh,size_class,division,locode,roles\n"
GOOD = "keqiao-a,91350100M000100Y43,绍兴甲厂,小型,330603,CNSXG,生产|物流\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_the_whole_pool_survives_a_spreadsheet(tmp_path: Path) -> None:
    pool = build_pool(3, MONDAY, NOON)
    paths = write_pool(tmp_path, pool.firms, pool.nodes, pool.products)
    assert len(paths) == len(csv_tables.POOL_TABLES)
    found = read_pool(tmp_path, NOON).imported
    assert found.errors == []
    assert sorted(found.firms, key=lambda f: f.firm_id) == sorted(
        pool.firms, key=lambda f: f.firm_id
    )
    assert sorted(found.nodes, key=lambda n: n.node_id) == sorted(
        pool.nodes, key=lambda n: n.node_id
    )
    assert found.products == list(pool.products)
    assert found.refused_row_count == 0
    assert found.kept_row_count == found.row_count > 1_000


def test_chinese_headers_and_values_are_read(tmp_path: Path) -> None:
    text = "企业编号,统一社会信用代码,中文名称,规模,行政区划,地点代码,角色,可出口\n"
    row = "keqiao-a,91350100M000100Y43,绍兴甲厂,小型,330603,CNSXG,生产、物流,是\n"
    found = read_pool(write(tmp_path, firms=text + row), NOON).imported
    (firm,) = found.firms
    assert [str(role) for role in firm.roles] == ["MANUFACTURING", "LOGISTICS"]
    assert firm.can_export


def test_gbk_is_read_and_said_aloud(tmp_path: Path) -> None:
    (tmp_path / "firms.csv").write_bytes((FIRM + GOOD).encode("gbk"))
    found = read_pool(tmp_path, NOON)
    assert found.imported.firms[0].name_zh == "绍兴甲厂"
    assert "GBK" in found.notices[0].message
    assert "GBK" in found.notices[0].message_zh


def test_a_byte_order_mark_is_no_part_of_the_first_header(tmp_path: Path) -> None:
    (tmp_path / "firms.csv").write_bytes((FIRM + GOOD).encode("utf-8-sig"))
    found = read_pool(tmp_path, NOON)
    assert (len(found.imported.firms), found.notices) == (1, [])


def test_errors_name_row_column_and_remedy_and_the_good_rows_stay(tmp_path: Path) -> None:
    bad_code = "keqiao-b,91350100M000100Y44,绍兴乙厂,小型,330603,CNSXG,生产\n"
    bad_size = "keqiao-c,91350100M000100Y43,绍兴丙厂,巨型,330603,CNSXG,生产\n"
    found = read_pool(write(tmp_path, firms=FIRM + GOOD + bad_code + bad_size), NOON).imported
    assert [firm.firm_id for firm in found.firms] == ["keqiao-a"]
    assert (found.row_count, found.kept_row_count, found.refused_row_count) == (3, 1, 2)
    size, code = found.errors
    assert (size.row, size.column, size.reason) == (4, "size_class", "MALFORMED_VALUE")
    assert "MICRO or SMALL" in size.hint
    assert "小型" in size.hint_zh
    assert (code.row, code.column, code.reason) == (3, "uscc", "USCC_CHECK_CHARACTER")
    assert "should be 3" in code.hint
    assert str(code).startswith("firms.csv:3 [uscc]: ")


def test_thousands_separators_are_refused_with_a_hint(tmp_path: Path) -> None:
    text = FIRM.strip() + ",notice_hours\n" + GOOD.strip() + ',"3,000"\n'
    (error,) = read_pool(write(tmp_path, firms=text), NOON).imported.errors
    assert (error.column, error.reason) == ("notice_hours", "MALFORMED_VALUE")
    assert "separators" in error.hint


def test_all_bad_cells_of_a_row_are_told_at_once(tmp_path: Path) -> None:
    text = FIRM.strip() + ",notice_hours,can_export\n" + GOOD.strip() + ",soon,maybe\n"
    found = read_pool(write(tmp_path, firms=text), NOON).imported
    assert [error.column for error in found.errors] == ["notice_hours", "can_export"]
    assert found.refused_row_count == 1


def test_a_missing_column_is_told_once_and_an_unknown_one_does_not_stop(tmp_path: Path) -> None:
    missing = read_pool(write(tmp_path, firms="firm_id,uscc\na,b\n"), NOON).imported
    assert {error.column for error in missing.errors} == {
        "name_zh",
        "size_class",
        "division",
        "locode",
    }
    assert all(error.row == 0 for error in missing.errors)
    extra = FIRM.strip() + ",colour\n" + GOOD.strip() + ",red\n"
    found = read_pool(write(tmp_path, firms=extra), NOON).imported
    assert len(found.firms) == 1
    assert [(error.row, error.column) for error in found.errors] == [(1, "colour")]
    assert found.refused_row_count == 0


FACTORY = "node_id,firm_id,locode,hs6,uom,line_id,day_capacity,first_batch_days,price_breaks\n"


def test_lines_of_a_mill_are_rows_of_one_id(tmp_path: Path) -> None:
    rows = "mill,keqiao-a,CNSXG,621430,H87,one,2000,3,0:9.80|500:9.60\nmill,,,,,two,1500,,\n"
    (node,) = read_pool(write(tmp_path, factories=FACTORY + rows), NOON).imported.nodes
    assert isinstance(node.capability, Manufacturing)
    assert [line.day_capacity_units for line in node.capability.lines] == [2_000, 1_500]
    assert node.capability.unit_price(600) == Money(960, "CNY")


def test_a_bad_line_is_left_out_and_a_bad_first_row_takes_the_others_along(tmp_path: Path) -> None:
    first = "mill,keqiao-a,CNSXG,621430,H87,one,2000,3,9.80\n"
    found = read_pool(write(tmp_path, factories=FACTORY + first + "mill,,,,,TWO!,1500,,\n"), NOON)
    (node,) = found.imported.nodes
    assert isinstance(node.capability, Manufacturing)
    assert len(node.capability.lines) == 1
    assert [(e.row, e.column) for e in found.imported.errors] == [(3, "line_id")]

    broken = first.replace("621430", "62143")
    found = read_pool(write(tmp_path, factories=FACTORY + broken + "mill,,,,,two,1500,,\n"), NOON)
    assert found.imported.nodes == []
    assert [(e.row, e.column) for e in found.imported.errors] == [(2, "hs6"), (3, "node_id")]


def test_a_further_row_must_not_contradict_the_first(tmp_path: Path) -> None:
    rows = "mill,keqiao-a,CNSXG,621430,H87,one,2000,3,9.80\nmill,,CNNBO,,,two,1500,,\n"
    found = read_pool(write(tmp_path, factories=FACTORY + rows), NOON).imported
    assert [(error.row, error.column) for error in found.errors] == [(3, "locode")]
    assert found.kept_row_count == 1


def test_parts_of_nothing_are_refused(tmp_path: Path) -> None:
    pool = example_pool(MONDAY, NOON)
    write_pool(tmp_path, pool.firms, pool.nodes, pool.products)
    (tmp_path / "forwarders.csv").unlink()
    houses = (tmp_path / "warehouses.csv").read_text(encoding="utf-8-sig").splitlines()
    (tmp_path / "warehouses.csv").write_text(houses[0], encoding="utf-8")
    found = read_pool(tmp_path, NOON).imported
    assert not [node for node in found.nodes if isinstance(node.capability, Logistics)]
    by_file = {error.file: error for error in found.errors}
    assert "forwarders.csv" in by_file["lanes.csv"].message
    assert "no warehouse" in by_file["stock.csv"].message
    assert found.kept_row_count + found.refused_row_count == found.row_count


def test_the_same_firm_twice(tmp_path: Path) -> None:
    found = read_pool(write(tmp_path, firms=FIRM + GOOD + GOOD), NOON).imported
    assert len(found.firms) == 1
    assert [(error.row, error.reason) for error in found.errors] == [(3, "DUPLICATE")]


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="NOT_FOUND") as caught:
        read_pool(tmp_path, NOON)
    assert "firms.csv" in caught.value.hint


@pytest.mark.parametrize("data", [b"\xff\xfe\x00\x00\x80\x81", b'a,"b\nc', b"\x00" * 20, b""])
def test_files_that_are_not_csv_do_not_crash(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "firms.csv").write_bytes(data)
    found = read_pool(tmp_path, NOON).imported
    assert found.items == []
    assert found.errors


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    for table in (csv_tables.FIRMS, csv_tables.FACTORIES):
        rows, errors, count = read_rows(table, FIRM + text)
        assert len(rows) == count
        assert all(error.row >= 0 for error in errors)


@given(st.builds(Money, st.integers(0, 10**13), st.sampled_from(list(EXPONENTS))))
def test_money_survives(money: Money) -> None:
    assert csv_cells.parse_money(csv_cells.format_money(money)) == money


@given(st.integers(0, 100_000))
def test_percentages_survive(points: int) -> None:
    assert csv_cells.parse_percent(csv_cells.format_percent(points)) == points


@pytest.mark.parametrize("text", ["2026-03-02", "2026/3/2", "2026年3月2日", "2026.3.2"])
def test_dates_as_spreadsheets_write_them(text: str) -> None:
    assert csv_cells.parse_date(text) == MONDAY


@pytest.mark.parametrize("text", ["02/03/2026", "2026-02-30", "3月2日", "46083"])
def test_other_dates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        csv_cells.parse_date(text)


def test_times_are_of_shanghai_unless_they_say_otherwise() -> None:
    assert csv_cells.parse_time("2026/3/2 12:00") == NOON
    assert csv_cells.parse_time("2026-03-02T04:00:00+00:00") == NOON
    assert csv_cells.parse_time(csv_cells.format_time(NOON)) == NOON


def test_weekday_ranges() -> None:
    assert csv_cells.parse_weekdays("1-6") == (1, 2, 3, 4, 5, 6)
    assert csv_cells.parse_weekdays("1|3、5") == (1, 3, 5)


SIGNAL = "timestamp,term,market,metric,platform,count,account\n"


def test_signals_become_columns_by_time(tmp_path: Path) -> None:
    path = tmp_path / "signals.csv"
    rows = (
        "2026-03-02 13:00,防晒披肩,TH,浏览,TIKTOK_SHOP,900,@anna\n"
        "2026-03-02 12:00,防晒披肩,TH,ORDER,,3,\n"
        "2026-03-02 12:30,防晒披肩,XX,ORDER,,3,\n"
        "2026-03-02 12:30,防晒披肩,TH,ORDER,,-3,\n"
        "2026-03-02 12:30,防晒披肩,TH,,,3,\n"
    )
    path.write_text(SIGNAL + rows, encoding="utf-8")
    found = read_signals(path, "feed", "salt")
    (batch,) = found.batches
    assert batch.source_sequence == 1
    assert batch.time_s == (int(NOON.timestamp()), int(NOON.timestamp()) + 3_600)
    assert batch.metric == (Metric.ORDER, Metric.VIEW)
    assert batch.account_hash == (0, account_hash("@anna", "salt"))
    assert [(e.row, e.column) for e in found.errors] == [(4, "market"), (5, "count"), (6, "metric")]
    assert (found.row_count, found.refused_row_count) == (5, 3)
    assert "@anna" not in repr(batch)


def test_signals_survive_a_spreadsheet(tmp_path: Path) -> None:
    batch = SignalBatch(
        source="s",
        source_sequence=1,
        keys=(SignalKey("shawl", "TH"), SignalKey("shawl", "VN")),
        time_s=(1_772_400_000, 1_772_400_060),
        key_index=(1, 0),
        metric=(Metric.VIEW, Metric.CART),
        platform_index=(0, 0),
        count=(5, 7),
        retraction=(True, False),
        account_hash=(17, 0),
        platforms=("SHOPEE",),
    )
    path = write_signal_file(tmp_path / "signals.csv", [batch])
    (found,) = read_signals(path, "s", "x").batches
    assert [found.keys[i] for i in found.key_index] == [batch.keys[i] for i in batch.key_index]
    assert (found.time_s, found.metric, found.count) == (batch.time_s, batch.metric, batch.count)
    assert found.retraction == batch.retraction
    assert [bool(account) for account in found.account_hash] == [True, False]


def test_every_column_is_described_in_both_languages() -> None:
    text = describe_files()
    for table in (*csv_tables.POOL_TABLES, csv_tables.SIGNALS):
        for column in table.columns:
            assert f"| `{column.name}` | {column.zh} |" in text
        assert len({column.zh for column in table.columns}) == len(table.columns)
