"""What other records must not say: ids, keys, terms and codes that are taken."""

from __future__ import annotations

from lianmeng.kernel.errors import Rejected, Status
from lianmeng.pool.firms import Firm
from lianmeng.pool.products import Product
from lianmeng.registry import refusals
from lianmeng.registry.picture import Kind, Picture


class CrossChecks:
    """Checks of a record against the picture of all others. All raise `Rejected`."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def principal_is_free(self, principal_id: str, field: str) -> None:
        """No principal has this id."""
        if self._picture.get(Kind.PRINCIPAL, principal_id) is not None:
            raise refusals.already_exists("principal", principal_id, field)

    def key_is_free(self, key_id: str, field: str) -> None:
        """No principal has or had this key: its signatures would be ambiguous."""
        if self._picture.holder(Kind.PRINCIPAL, key_id):
            raise refusals.already_exists("key", key_id, field)

    def firm_takes_part(self, firm_id: str, field: str) -> None:
        """The firm is registered and has not left."""
        firm = self._picture.get(Kind.FIRM, firm_id)
        if firm is None:
            raise refusals.not_found("firm", firm_id, field)
        if firm.state == "WITHDRAWN":
            raise Rejected(
                reason="FIRM_NOT_ACTIVE",
                field=field,
                message=f"the firm {firm_id!r} has left the platform",
                hint="ask the association to activate it again",
                message_zh=f"企业 {firm_id!r} 已退出平台",
                hint_zh="请联系协会重新启用",
                status=Status.FAILED_PRECONDITION,
            )

    def code_is_free(self, firm: Firm) -> None:
        """No other active firm has the same 统一社会信用代码."""
        holder = self._picture.active_firm_with(firm.uscc)
        if holder not in ("", firm.firm_id):
            raise refusals.taken("social credit code", "统一社会信用代码", holder, "firm.uscc")

    def terms_are_free(self, product: Product) -> None:
        """No other product is called by one of its names."""
        for index, term in enumerate(product.terms()):
            holder = self._picture.holder(Kind.PRODUCT, term)
            if holder not in ("", product.product_id):
                field = "product.product_id" if index == 0 else f"product.aliases[{index - 1}]"
                raise refusals.taken("name", "名称", holder, field)
