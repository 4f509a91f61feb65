"""The CSV files by which a firm joins with a spreadsheet: one file per kind, one row per thing.

Headers are the English or the Chinese names. A thing with several parts (lines of a mill, accounts
of an agency, prices of a product) has one row per part: the first row of an id says everything,
further rows need only the id and the part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lianmeng.kernel.roles import Role
from lianmeng.kernel.signals import Metric
from lianmeng.pool import csv_cells as cells
from lianmeng.pool.csv_cells import Cell
from lianmeng.pool.firms import SizeClass
from lianmeng.pool.nodes import FreightBasis, LaneMode


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `field` is the last name of the contract's field, if it is another one.

    `default` stands for an empty cell of a column that is not `needed`; `part` says that the
    column belongs to the part of a row, not to the thing as a whole.
    """

    name: str
    zh: str
    cell: Cell
    needed: bool = False
    default: Any = ""
    field: str = ""
    part: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A file `<name>.csv`; `key` is the column that names the thing a row belongs to."""

    name: str
    zh: str
    key: str
    columns: tuple[Column, ...]

    @property
    def file(self) -> str:
        """Its file name."""
        return f"{self.name}.csv"

    def column_of(self, field: str) -> str:
        """The column that holds a field of the contract, by the last name of its path."""
        names = (column.name for column in self.columns if field in (column.name, column.field))
        return next(names, "")


ROLES_ZH: Mapping[str, StrEnum] = {
    "生产": Role.MANUFACTURING, "物流": Role.LOGISTICS, "营销": Role.MARKETING,
    "库存": Role.STOCK_OWNER,
}  # fmt: skip
SIZES_ZH: Mapping[str, StrEnum] = {
    "微型": SizeClass.MICRO, "小型": SizeClass.SMALL, "中型": SizeClass.MEDIUM,
    "大型": SizeClass.LARGE,
}  # fmt: skip
MODES_ZH: Mapping[str, StrEnum] = {
    "海运": LaneMode.SEA, "快船": LaneMode.SEA_FAST, "陆运": LaneMode.ROAD,
    "铁路": LaneMode.RAIL, "空运": LaneMode.AIR, "快递": LaneMode.EXPRESS,
}  # fmt: skip
BASES_ZH: Mapping[str, StrEnum] = {
    "公斤": FreightBasis.KG, "立方米": FreightBasis.CBM, "包裹": FreightBasis.PARCEL,
}  # fmt: skip
METRICS_ZH: Mapping[str, StrEnum] = {
    "浏览": Metric.VIEW, "发帖": Metric.POST, "搜索": Metric.SEARCH, "加购": Metric.CART,
    "订单": Metric.ORDER, "海关": Metric.TRADE,
}  # fmt: skip

_CALENDAR = (
    Column("time_zone", "时区", cells.TEXT, default="Asia/Shanghai"),
    Column("working_weekdays", "工作日", cells.WEEKDAYS, default=()),
    Column("closed_dates", "停工日期", cells.DATES, default=()),
    Column("extra_dates", "加班日期", cells.DATES, default=()),
)

_NODE = (
    Column("node_id", "节点编号", cells.TEXT, needed=True),
    Column("firm_id", "企业编号", cells.TEXT, needed=True),
    Column("name", "名称", cells.TEXT),
    Column("locode", "地点代码", cells.TEXT, needed=True),
)

FIRMS = Table(
    "firms", "企业", "firm_id",
    (
        Column("firm_id", "企业编号", cells.TEXT, needed=True),
        Column("uscc", "统一社会信用代码", cells.TEXT, needed=True),
        Column("name_zh", "中文名称", cells.TEXT, needed=True),
        Column("name_en", "英文名称", cells.TEXT),
        Column("size_class", "规模", cells.choice(SizeClass, SIZES_ZH), needed=True),
        Column("division", "行政区划", cells.TEXT, needed=True),
        Column("roles", "角色", cells.choices(Role, ROLES_ZH), default=()),
        Column("locode", "地点代码", cells.TEXT, needed=True),
        Column("notice_hours", "准备小时数", cells.WHOLE, default=0),
        Column("max_concurrent_alliances", "最多同时联盟数", cells.WHOLE, default=0),
        Column("affiliates", "关联企业", cells.LIST, default=()),
        Column("can_sell_in", "可销售市场", cells.LIST, default=()),
        Column("can_export", "可出口", cells.YES_NO, default=False),
        Column("can_import_in", "可进口市场", cells.LIST, default=()),
    ),
)  # fmt: skip

CERTIFICATES = Table(
    "certificates", "证书", "firm_id",
    (
        Column("firm_id", "企业编号", cells.TEXT, needed=True),
        Column("type", "类型", cells.TEXT, needed=True, part=True),
        Column("number", "编号", cells.TEXT, needed=True, part=True),
        Column("scope_hs6", "HS编码范围", cells.LIST, default=(), part=True),
        Column("scope_materials", "材料范围", cells.LIST, default=(), part=True),
        Column("markets", "市场", cells.LIST, default=(), part=True),
        Column("valid_from", "生效日期", cells.DATE, needed=True, part=True),
        Column("valid_to", "失效日期", cells.DATE, needed=True, part=True),
        Column("document_sha256", "文件SHA256", cells.TEXT, part=True),
    ),
)  # fmt: skip

FACTORIES = Table(
    "factories", "工厂产线", "node_id",
    (
        *_NODE,
        *_CALENDAR,
        Column("hs6", "HS编码", cells.LIST, needed=True),
        Column("materials", "材料", cells.MATERIALS, default=()),
        Column("processes", "工序", cells.LIST, default=()),
        Column("uom", "计量单位", cells.TEXT, needed=True),
        Column("line_id", "产线编号", cells.TEXT, needed=True, part=True),
        Column("day_capacity", "日产能", cells.WHOLE, needed=True, part=True,
               field="day_capacity_units"),
        Column("moq", "起订量", cells.WHOLE, default=0, field="moq_units"),
        Column("lot_multiple", "批量倍数", cells.WHOLE, default=0, field="lot_multiple_units"),
        Column("sample_days", "打样天数", cells.WHOLE, default=None),
        Column("sample_days_late", "打样最迟天数", cells.WHOLE, default=None),
        Column("first_batch_days", "首批天数", cells.WHOLE, needed=True),
        Column("first_batch_days_late", "首批最迟天数", cells.WHOLE, default=None),
        Column("reorder_days", "翻单天数", cells.WHOLE, default=None),
        Column("reorder_days_late", "翻单最迟天数", cells.WHOLE, default=None),
        Column("price_breaks", "阶梯价", cells.PRICE_BREAKS, needed=True),
        Column("setup_fee", "开机费", cells.MONEY, default=None),
        Column("overtime", "日加班产能", cells.WHOLE, default=0, field="overtime_units"),
        Column("overtime_premium", "加班加价", cells.PERCENT, default=0,
               field="overtime_premium_bp"),
        Column("unit_weight_g", "单件克重", cells.WHOLE, default=0),
        Column("unit_volume_cm3", "单件体积", cells.WHOLE, default=0),
        Column("carton", "装箱数", cells.WHOLE, default=0, field="carton_units"),
        Column("battery_class", "电池类别", cells.TEXT),
        Column("first_pass_yield", "一次合格率", cells.PERCENT, default=0,
               field="first_pass_yield_bp"),
        Column("incoterms", "贸易术语", cells.LIST, default=()),
        Column("needs_new_mould", "需新开模", cells.YES_NO, default=False),
        Column("skus", "曾做款号", cells.LIST, default=()),
    ),
)  # fmt: skip

FORWARDERS = Table("forwarders", "货运网点", "node_id", (*_NODE, *_CALENDAR))

LANES = Table(
    "lanes", "线路", "node_id",
    (
        Column("node_id", "节点编号", cells.TEXT, needed=True),
        Column("lane_id", "线路编号", cells.TEXT, needed=True, part=True),
        Column("origin", "起运地", cells.TEXT, needed=True, part=True),
        Column("gateway", "口岸", cells.TEXT, part=True),
        Column("destination", "目的地", cells.TEXT, needed=True, part=True),
        Column("market", "市场", cells.TEXT, needed=True, part=True),
        Column("mode", "运输方式", cells.choice(LaneMode, MODES_ZH), needed=True, part=True),
        Column("transit_days", "运输天数", cells.WHOLE, needed=True, part=True),
        Column("transit_days_late", "最迟运输天数", cells.WHOLE, default=None, part=True),
        Column("departure_weekdays", "发运星期", cells.WEEKDAYS, default=(), part=True),
        Column("cutoff_days", "截货提前天数", cells.WHOLE, default=0, part=True),
        Column("capacity_kg", "每班运力公斤", cells.WHOLE, needed=True, part=True),
        Column("basis", "计价单位", cells.choice(FreightBasis, BASES_ZH), needed=True, part=True),
        Column("price", "单价", cells.MONEY, needed=True, part=True),
        Column("minimum_charge", "最低收费", cells.MONEY, default=None, part=True),
        Column("volumetric_divisor", "体积重系数", cells.WHOLE, default=0, part=True),
        Column("customs_modes", "监管方式", cells.LIST, default=(), part=True),
        Column("dangerous_goods", "危险品", cells.LIST, default=(), part=True),
        Column("pickup_price_per_kg", "提货单价", cells.MONEY, default=None, part=True),
    ),
)  # fmt: skip

WAREHOUSES = Table(
    "warehouses", "海外仓", "node_id",
    (
        Column("node_id", "节点编号", cells.TEXT, needed=True),
        Column("warehouse_id", "仓库编号", cells.TEXT, needed=True, part=True),
        Column("locode", "地点代码", cells.TEXT, needed=True, part=True),
        Column("market", "市场", cells.TEXT, needed=True, part=True),
        Column("handling_fee", "操作费", cells.MONEY, default=None, part=True),
        Column("last_mile_fee", "尾程费", cells.MONEY, default=None, part=True),
        Column("release_days", "上架天数", cells.WHOLE, needed=True, part=True),
        Column("release_days_late", "最迟上架天数", cells.WHOLE, default=None, part=True),
    ),
)  # fmt: skip

STOCK = Table(
    "stock", "海外库存", "node_id",
    (
        Column("node_id", "节点编号", cells.TEXT, needed=True),
        Column("warehouse_id", "仓库编号", cells.TEXT, needed=True, part=True),
        Column("owner_firm_id", "货主企业编号", cells.TEXT, needed=True, part=True),
        Column("product_id", "产品编号", cells.TEXT, needed=True, part=True),
        Column("units", "数量", cells.WHOLE, needed=True, part=True),
        Column("unit_price", "单价", cells.MONEY, needed=True, part=True),
        Column("as_of", "盘点时间", cells.TIME, needed=True, part=True, field="as_of_time"),
    ),
)  # fmt: skip

AGENCIES = Table(
    "agencies", "营销机构", "node_id",
    (
        *_NODE,
        *_CALENDAR,
        Column("platform", "平台", cells.TEXT, needed=True, part=True),
        Column("market", "市场", cells.TEXT, needed=True, part=True),
        Column("followers", "粉丝数", cells.WHOLE, default=0, part=True),
        Column("gmv_30d", "近30天销售额", cells.MONEY, default=None, part=True),
        Column("languages", "语言", cells.LIST, needed=True),
        Column("formats", "形式", cells.LIST, default=()),
        Column("videos_per_day", "每日视频数", cells.WHOLE, default=0),
        Column("live_hours_per_day", "每日直播小时", cells.WHOLE, default=0),
        Column("creators", "达人数", cells.WHOLE, default=0),
        Column("creator_hours_per_day", "每日可订小时", cells.WHOLE, default=0),
        Column("units_per_creator_hour", "每小时销量", cells.WHOLE, default=0),
        Column("fixed_fee", "固定费用", cells.MONEY, default=None),
        Column("video_fee", "每视频费用", cells.MONEY, default=None),
        Column("hour_fee", "每小时费用", cells.MONEY, default=None),
        Column("commission", "佣金", cells.PERCENT, default=0, field="commission_bp"),
        Column("conversion", "转化率", cells.PERCENT, default=0, field="conversion_bp"),
        Column("categories", "品类", cells.LIST, default=()),
        Column("ai_label_method", "AI标识方式", cells.TEXT),
        Column("violations", "违规次数", cells.WHOLE, default=0),
    ),
)  # fmt: skip

PRODUCTS = Table(
    "products", "产品", "product_id",
    (
        Column("product_id", "产品编号", cells.TEXT, needed=True),
        Column("name_zh", "中文名称", cells.TEXT, needed=True),
        Column("name_en", "英文名称", cells.TEXT),
        Column("aliases", "别名", cells.LIST, default=()),
        Column("hs6", "HS编码", cells.TEXT, needed=True),
        Column("uom", "计量单位", cells.TEXT, needed=True),
        Column("unit_weight_g", "单件克重", cells.WHOLE, needed=True),
        Column("unit_volume_cm3", "单件体积", cells.WHOLE, default=0),
        Column("materials", "材料", cells.MATERIALS, default=()),
        Column("required_certificates", "所需证书", cells.LIST, default=()),
        Column("market", "市场", cells.TEXT, needed=True, part=True),
        Column("channel", "渠道", cells.TEXT, part=True),
        Column("sale_price", "零售价", cells.MONEY, needed=True, part=True, field="price"),
        Column("battery_class", "电池类别", cells.TEXT),
    ),
)  # fmt: skip

SIGNALS = Table(
    "signals", "信号", "term",
    (
        Column("timestamp", "时间", cells.TIME, needed=True),
        Column("term", "词条", cells.TEXT, needed=True),
        Column("market", "市场", cells.TEXT, needed=True),
        Column("metric", "指标", cells.choice(Metric, METRICS_ZH), needed=True),
        Column("platform", "平台", cells.TEXT),
        Column("count", "数量", cells.WHOLE, needed=True),
        Column("account", "账号", cells.TEXT),
        Column("retraction", "撤回", cells.YES_NO, default=False),
    ),
)  # fmt: skip

POOL_TABLES = (
    FIRMS, CERTIFICATES, FACTORIES, FORWARDERS, LANES, WAREHOUSES, STOCK, AGENCIES, PRODUCTS,
)  # fmt: skip
"""The files that describe a pool. SIGNALS is the other one."""


def describe(table: Table) -> str:
    """The table's format as a section of Markdown, for the reference and beside examples."""
    head = (
        f"## {table.file} — {table.zh}\n\n| column | 列名 | needed | how to write it | 填写方法 |\n"
    )
    lines = [
        f"| `{c.name}` | {c.zh} | {'yes 必填' if c.needed else ''} | {_in_cell(c.cell.hint)} "
        f"| {_in_cell(c.cell.hint_zh)} |"
        for c in table.columns
    ]
    return head + "|---|---|---|---|---|\n" + "\n".join(lines) + "\n"


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")
