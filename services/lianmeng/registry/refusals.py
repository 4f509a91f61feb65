"""The refusals of the registry that need more than the record itself to be seen."""

from __future__ import annotations

from lianmeng.kernel.errors import Rejected, Status

_KINDS_ZH = {"firm": "企业", "node": "节点", "product": "产品", "principal": "主体", "key": "密钥"}


def not_found(kind: str, identity: str, field: str) -> Rejected:
    """There is no such firm, node, product, principal or key."""
    return Rejected(
        reason="NOT_FOUND",
        field=field,
        message=f"there is no {kind} {identity!r}",
        hint="check the id",
        message_zh=f"没有{_KINDS_ZH[kind]} {identity!r}",
        hint_zh="请核对编号",
        status=Status.NOT_FOUND,
    )


def already_exists(kind: str, identity: str, field: str) -> Rejected:
    """The id is taken."""
    return Rejected(
        reason="ALREADY_EXISTS",
        field=field,
        message=f"there is a {kind} {identity!r} already",
        hint="choose another id, or change the existing record",
        message_zh=f"{_KINDS_ZH[kind]} {identity!r} 已存在",
        hint_zh="请换一个编号，或修改已有记录",
        status=Status.ALREADY_EXISTS,
    )


def version_conflict(edited: int, current: int, field: str) -> Rejected:
    """Somebody else wrote a newer version than the one that was edited."""
    return Rejected(
        reason="VERSION_CONFLICT",
        field=field,
        message=f"version {edited} was edited, version {current} is current",
        hint="read it again and repeat the change, or send 0 to replace whatever is current",
        message_zh=f"修改的是第 {edited} 版，当前是第 {current} 版",
        hint_zh="请重新读取后再修改；填 0 表示覆盖当前版本",
        status=Status.ABORTED,
    )


def not_yours(kind: str, identity: str, field: str) -> Rejected:
    """It belongs to another firm or principal."""
    return Rejected(
        reason="NOT_YOURS",
        field=field,
        message=f"the {kind} {identity!r} is not yours",
        hint="use the key of its owner",
        message_zh=f"{_KINDS_ZH[kind]} {identity!r} 不属于您",
        hint_zh="请使用其所有者的密钥",
        status=Status.PERMISSION_DENIED,
    )


def taken(what: str, what_zh: str, holder: str, field: str) -> Rejected:
    """A value that must be unique is in use; `holder` may be said aloud."""
    return Rejected(
        reason="DUPLICATE",
        field=field,
        message=f"this {what} is in use by {holder}",
        hint="use another one",
        message_zh=f"该{what_zh}已被 {holder} 使用",
        hint_zh="请换一个",
        status=Status.ALREADY_EXISTS,
    )


def wrong_state(message: str, hint: str, message_zh: str, hint_zh: str, field: str) -> Rejected:
    """The record is in a state in which this cannot be done."""
    return Rejected(
        reason="WRONG_STATE",
        field=field,
        message=message,
        hint=hint,
        message_zh=message_zh,
        hint_zh=hint_zh,
        status=Status.FAILED_PRECONDITION,
    )


def command_reused(command_id: str) -> Rejected:
    """The command id was used by the caller for something else."""
    return Rejected(
        reason="COMMAND_REUSED",
        field="command_id",
        message=f"command {command_id!r} was used for another change",
        hint="choose a fresh command id for each change",
        message_zh=f"命令编号 {command_id!r} 已用于其他操作",
        hint_zh="每次操作请使用新的命令编号",
        status=Status.ALREADY_EXISTS,
    )
