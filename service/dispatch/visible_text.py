"""Text of others, made fit to show."""

import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of characters that do not show: https://www.unicode.org/reports/tr44/#General_Category_Values"""
SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str, length: int) -> str:
    """The text on one line, cut to `length`, without harm.

    Characters that do not show (control and bidirectional ones, line ends, surrogates) become escapes;
    `://` and `=?` are taken apart, lest a mail program makes a link of the one or decodes the other.
    """
    shown = "".join(map(_shown, text[: length + 1])).strip().replace("://", ": //").replace("=?", "= ?")
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def _shown(character: str) -> str:
    if unicodedata.category(character) in HIDDEN:
        return SHORT_ESCAPES.get(character, f"\\u{{{ord(character):x}}}")
    return character
