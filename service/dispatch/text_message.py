"""The text message that tells of events: one of 160 characters where that is possible.

A telephone shows as one message 160 characters of the GSM alphabet (3GPP TS 23.038, 6.2.1), or 70 where one
is of no GSM alphabet.
"""

import unicodedata
from datetime import timedelta
from typing import Final

from ingest.timestamps import EPOCH
from service.dispatch.crossing import crossing, readable_time
from service.store.reading.alert_events import GatheredEvents, ToldEvent

TOLD: Final = 20
"""More events than one message can hold."""
GSM_LENGTH: Final = 160
OTHER_LENGTH: Final = 70
LONGEST: Final = 1_600
"""What SNS sends at most, in as many messages as that takes."""
GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_OF_TWO: Final = frozenset("^{}\\[~]|€")
"""In the alphabet's extension: each counts as two."""
LIKE: Final = {"…": "...", "–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "°": ""}


def text_message(events: GatheredEvents) -> str:
    """The text of at least one event. It tells of as many as fit, and of how many more there are."""
    crossings = [crossing(each, "") for each in events.told]
    if len(events.native) == 1:
        time = readable_time(events.told[0].sample_time)
        return _first_that_fits([f"{crossings[0].headline}, {time}", f"{crossings[0].short}, {time}"])
    day = readable_time(events.told[0].sample_time).partition(",")[0]
    head = f"{len(events.native):,} events, {day}, UTC:"
    lines = [f"{_clock(of)} {each.short}" for each, of in zip(crossings, events.told, strict=True)]
    return _first_that_fits(
        [_lines(head, lines[:count], len(events.native)) for count in range(len(lines), 0, -1)]
    )


def is_gsm(text: str) -> bool:
    return all(each in GSM or each in GSM_OF_TWO for each in text)


def fits(text: str) -> bool:
    """Whether a telephone shows it as one message."""
    if is_gsm(text):
        return sum(2 if each in GSM_OF_TWO else 1 for each in text) <= GSM_LENGTH
    return len(text.encode("utf-16-le")) // 2 <= OTHER_LENGTH


def _lines(head: str, lines: list[str], total: int) -> str:
    more = total - len(lines)
    return "\n".join([head, *lines, f"and {more:,} more"] if more else [head, *lines])


def _clock(told: ToldEvent) -> str:
    return f"{EPOCH + timedelta(milliseconds=told.sample_time):%H:%M}"


def _first_that_fits(texts: list[str]) -> str:
    """The first that is one message, else the last, in several."""
    plain = [_in_gsm(each) for each in texts]
    return next(filter(fits, plain), plain[-1])[:LONGEST]


def _in_gsm(text: str) -> str:
    """With letters without their accents where GSM has none with them; what has no likeness stays."""
    return "".join(each if each in GSM or each in GSM_OF_TWO else _like(each) for each in text)


def _like(character: str) -> str:
    bare = LIKE.get(character)
    if bare is None:
        bare = "".join(
            each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each)
        )
    return bare if is_gsm(bare) else character
