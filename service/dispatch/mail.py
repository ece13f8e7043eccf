"""The mail that tells of events, understood on a telephone.

The same alert makes the same bytes each time: the date is the alert's, boundaries come from the message id.
"""

import email.policy
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from html import escape

from service.dispatch.crossing import Crossing, crossing, place_names
from service.errors import SettingsError
from service.store.reading.alert_events import GatheredEvents, GeofenceCount

TOLD = 100
"""Events that a mail tells in full; all of them are in its attachment."""
COUNTED = 30
"""Geofences that a mail of many events counts by name."""
ATTACHMENT = "events.ndjson"
_ATOM = r"[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+"
_LABEL = r"[A-Za-z0-9_-]+"  # hosts have underscores, whatever the RFC says
ADDRESS = re.compile(rf"{_ATOM}(\.{_ATOM})*@({_LABEL}(\.{_LABEL})*|\[(IPv6:)?[0-9A-Fa-f.:]+\])")
"""Of RFC 5321's mailboxes those without quotes, which nobody has."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Of a mail, what is not in its events. `created_time` in ms."""

    message_id: str
    created_time: int
    sender: str
    recipient: str
    public_url: str


def composed(envelope: Envelope, events: GatheredEvents) -> EmailMessage:
    """The mail of at least one event."""
    crossings = [crossing(each, envelope.public_url) for each in events.told]
    total = len(events.native)
    mail = EmailMessage(email.policy.SMTP)
    mail["Subject"] = _subject(crossings, total)
    mail["From"] = Address("Overfly", addr_spec=envelope.sender)
    mail["To"] = Address(addr_spec=envelope.recipient)
    mail["Date"] = formatdate(envelope.created_time // 1000)
    mail["Message-ID"] = envelope.message_id
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday note answers it
    text, html = _text(crossings, events), _html(crossings, events)
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in events.native)
    mail.add_attachment(
        lines.encode(errors="backslashreplace"), "application", "x-ndjson", filename=ATTACHMENT
    )
    _name_boundaries(mail, envelope.message_id)
    return mail


def address(text: str) -> str:
    """An address as it goes into an envelope, its domain in ASCII. Raises SettingsError that names it."""
    name, _, domain = text.strip().rpartition("@")
    try:
        found = f"{name}@{domain.rstrip('.').encode('idna').decode('ascii')}"
    except UnicodeError:
        found = ""
    if not ADDRESS.fullmatch(found):
        raise SettingsError(f"{text!r} is not a mail address: expected name@example.org")
    return found


def _subject(crossings: Sequence[Crossing], total: int) -> str:
    if total == 1:
        return crossings[0].headline
    return f"{total:,} events: {crossings[0].short}, and {total - 1:,} more"


def _text(crossings: Sequence[Crossing], events: GatheredEvents) -> str:
    total = len(events.native)
    if total == 1:
        blocks = [_text_block("", crossings[0])]
    else:
        blocks = [_counted(events), *(_text_block(f"{n}. ", each) for n, each in enumerate(crossings, 1))]
    return "\n\n".join([*blocks, _footer(len(crossings), total)]) + "\n"


def _text_block(number: str, told: Crossing) -> str:
    facts = (f"{label}: {value}" for label, value in told.facts)
    link = [f"All its events: {told.link}"] if told.link else []
    return "\n".join([number + told.headline, *facts, *link])


def _counted(events: GatheredEvents) -> str:
    return "\n".join([f"{len(events.native):,} events", *_count_lines(events.counts)])


def _count_lines(counts: Sequence[GeofenceCount]) -> Iterable[str]:
    for each in counts[:COUNTED]:
        _, place = place_names(each.geofence_name, each.geofence_id)
        numbers = ((each.entered, "entered"), (each.left, "left"), (each.dwelled, "stayed"))
        yield f"{place}: {', '.join(f'{number:,} {verb}' for number, verb in numbers if number)}"
    if len(counts) > COUNTED:
        yield f"and {len(counts) - COUNTED:,} other geofences"


def _footer(told: int, total: int) -> str:
    more = "" if told == total else f"These are the first {told} of {total:,}. "
    what = "The event" if total == 1 else "Every event"
    return f"{more}{what} with its id is in the attached {ATTACHMENT}. Sent by Overfly."


def _html(crossings: Sequence[Crossing], events: GatheredEvents) -> str:
    total = len(events.native)
    counted = [] if total == 1 else [_html_counts(events)]
    blocks = [*counted, *map(_html_block, crossings)]
    footer = f'<p style="color:#666;font-size:13px">{escape(_footer(len(crossings), total))}</p>'
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n'
        '<body style="font-family:sans-serif;font-size:16px;line-height:1.4;max-width:40em;margin:1em">\n'
        + "\n".join([*blocks, footer])
        + "\n</body></html>\n"
    )


def _html_counts(events: GatheredEvents) -> str:
    lines = "<br>\n".join(f"<bdi>{escape(line)}</bdi>" for line in _count_lines(events.counts))
    return f'<h1 style="font-size:20px">{len(events.native):,} events</h1>\n<p>{lines}</p>'


def _html_block(told: Crossing) -> str:
    facts = "<br>\n".join(f"{label}: <bdi>{escape(value)}</bdi>" for label, value in told.facts)
    link = f'<br>\n<a href="{escape(told.link)}">All its events</a>' if told.link else ""
    return (
        f'<h2 style="font-size:17px;margin:1.2em 0 0.2em"><bdi>{escape(told.headline)}</bdi></h2>\n'
        f'<p style="margin:0">{facts}{link}</p>'
    )


def _name_boundaries(mail: EmailMessage, message_id: str) -> None:
    """Fixes the boundaries, which would be random. No part can hold one: in them `=` is escaped or last."""
    name = message_id.strip("<>").partition("@")[0]
    for depth, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        part.set_boundary(f"=_{depth}_{name}")
