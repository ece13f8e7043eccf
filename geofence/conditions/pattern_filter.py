"""Texts by patterns: `*` is any text, `?` one character, all else itself, case and all."""

import fnmatch
import re
from collections.abc import Sequence
from functools import cached_property

REMEMBERED = 100_000
"""Texts whose answer a filter keeps, if nothing else is said."""

NOTHING = r"(?!)"
"""Matches no text."""


def has_wildcards(pattern: str) -> bool:
    """Whether it is the pattern of more than one text."""
    return "*" in pattern or "?" in pattern


class PatternFilter:
    """What at least one of the patterns matches."""

    def __init__(self, patterns: Sequence[str], remembered: int = REMEMBERED) -> None:
        """remembered: of how many texts the answer is kept."""
        self._remembered = remembered
        self._texts = {pattern for pattern in patterns if not has_wildcards(pattern)}
        self._patterns = [pattern for pattern in patterns if has_wildcards(pattern)]
        self._answers: dict[str, bool] = {}

    def takes(self, text: str) -> bool:
        """Whether one of the patterns is this text's."""
        answer = self._answers.get(text)
        if answer is None:
            if len(self._answers) >= self._remembered:
                self._answers.clear()
            answer = text in self._texts or self._pattern.match(text) is not None
            self._answers[text] = answer
        return answer

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """Made when it is first needed, which takes some milliseconds."""
        return re.compile("|".join(map(fnmatch.translate, self._patterns)) or NOTHING)
