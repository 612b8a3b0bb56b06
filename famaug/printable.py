"""Names from elsewhere as one line of plain text."""

from __future__ import annotations

import unicodedata

_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def printable(text: object, *, lines: bool = False) -> str:
    """Text with every character that a terminal would act on written out: control and escape
    sequences, marks that turn the direction of writing, halves of characters.

    Args:
        text: what is to be shown.
        lines: keep line ends and tabs.
    """
    return "".join(
        c
        if (lines and c in "\n\t") or unicodedata.category(c) not in _HIDDEN
        else c.encode("unicode_escape", "surrogatepass").decode()
        for c in str(text)
    )
