"""Frozen dataclasses ↔ protobuf messages, by equal field names.

| dataclass field                  | proto field                                                |
|----------------------------------|------------------------------------------------------------|
| str, int, bool, float, bytes     | string, any integer, bool, double, bytes                   |
| a StrEnum with the value `X`     | enum value `<ENUM_NAME>_X`; None or absent = `_UNSPECIFIED` |
| datetime (aware, UTC), timedelta | google.protobuf.Timestamp, google.protobuf.Duration        |
| date                             | string, ISO 8601; None = ""                                |
| dataclass                        | message                                                    |
| union of dataclasses             | a oneof of that name, or a message that holds one oneof    |
| tuple[T, ...], dict[K, T]        | repeated, map                                              |
| T or None                        | presence (`optional` for scalars)                          |

`encode` and `decode` convert; `check` lists where two classes do not fit, for a test over all
pairs. Type annotations are resolved at run time: import what they name outside of
`TYPE_CHECKING`.
"""

from lianmeng.runtime.codec.checking import check
from lianmeng.runtime.codec.decoding import decode
from lianmeng.runtime.codec.encoding import encode

__all__ = ["check", "decode", "encode"]
