"""Units of money in headers: ``营业收入(万元)`` says ten thousands of yuan.

Only powers of ten of the yuan are brought to a contract's unit. Another currency would need a rate and its date, which
is a decision of the marts and never of the door: such a header refuses the file.
"""

from __future__ import annotations

import re

# Power of ten of the yuan, by the unit as it stands in a header's bracket. Assumed: 元 alone is the yuan.
POWERS = {
    f"{multiple}{yuan}": power
    for multiple, power in (("", 0), ("千", 3), ("万", 4), ("百万", 6), ("千万", 7), ("亿", 8))
    for yuan in ("元", "元人民币", "人民币元", "人民币")
    if multiple or yuan != "人民币"
} | {f"人民币{multiple}元": power for multiple, power in (("", 0), ("千", 3), ("万", 4), ("百万", 6), ("亿", 8))}
CONTRACT_POWERS = {"cny": 0, "thousand_cny": 3}

_BRACKET = re.compile(r"^(.+?)\((?:单位[::]?)?([^()]*)\)$")


def split(header: str) -> tuple[str, str | None]:
    """Split a header key (NFKC, no blanks) into its words and the text of a bracket at its end."""
    found = _BRACKET.match(header)
    return (found.group(1), found.group(2)) if found else (header, None)
