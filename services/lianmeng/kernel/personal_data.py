"""Personal data in free text: it is refused at the door, with the path of the field.

Found are telephone numbers, Chinese resident identity numbers and e-mail addresses. A person's
name cannot be told from a firm's, so fields for free text are few and short.
"""

from __future__ import annotations

import re

from lianmeng.kernel.errors import Rejected

_SUSPECT = re.compile(r"[0-9@]")
"""All that is found has a digit or an at sign: most texts need no closer look."""

_SEPARATORS = r"[\s().\-]{0,2}"
_PATTERNS = (
    (
        "a mobile number",
        "手机号",
        re.compile(rf"(?<!\d)(?:\+?86{_SEPARATORS})?1[3-9](?:{_SEPARATORS}\d){{9}}(?!\d)"),
    ),
    (
        "a telephone number",
        "电话号码",
        re.compile(
            rf"(?<![\w+])\+\d{{1,3}}(?:{_SEPARATORS}\d){{7,12}}(?!\d)"
            r"|(?<!\d)0\d{2,3}[-\s]\d{7,8}(?!\d)"
        ),
    ),
    (
        "an identity number",
        "身份证号",
        re.compile(r"(?<!\w)[1-8]\d{5}(?:19|20)\d{2}(?:0\d|1[0-2])[0-3]\d{4}[\dXx](?!\w)"),
    ),
    (
        "an e-mail address",
        "电子邮箱",
        re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ),
)


def refuse_personal_data(text: str, field: str) -> str:
    """`text`, if nothing in it looks like personal data. Raises `Rejected(PERSONAL_DATA)`.

    The error never repeats what was found.
    """
    if not _SUSPECT.search(text):
        return text
    for kind, kind_zh, pattern in _PATTERNS:
        if pattern.search(text):
            raise Rejected(
                reason="PERSONAL_DATA",
                field=field,
                message=f"this text holds {kind}",
                hint="take it out: the platform stores no personal data",
                message_zh=f"该文本含有{kind_zh}",
                hint_zh="请删除：平台不保存个人信息",
            )
    return text
