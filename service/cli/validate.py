"""`overfly validate`: which messages would be refused, and why."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.text import Text

from ingest.decoding import payloads
from ingest.decoding.blocks import Blocks, UnreadableFile, opened_blocks
from ingest.decoding.decoder import DecodeLimits, decode
from ingest.decoding.ndjson import BLOCK, LineReader
from ingest.decoding.rejects import REASONS, MessageRejects, Reject
from ingest.messages import Message
from ingest.timestamps import iso
from service.intake import intake
from service.settings import read_settings
from service.timestamps import now


def register(app: typer.Typer) -> None:
    app.command("validate")(_validate)


def _validate(
    file: Annotated[
        Path,
        typer.Argument(help="A payload: one object, an array, or one object a line (.gz too); - is stdin."),
    ],
    topic: Annotated[
        str | None,
        typer.Option(
            help="Judge as if it came on this topic; aircraft/<deviceId>/position binds the device."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Refused messages to list.")] = 100,
) -> None:
    """Say which messages of a file would be refused now, with line and reason, and count the good ones.

    Up to 1 MiB is judged as one message; more is judged line by line. OVERFLY_MAX_AHEAD and
    OVERFLY_RETENTION_DAYS hold as they do for the tracker. Exit status 1 if anything is refused.
    """
    settings = read_settings()
    limits = intake(settings.max_ahead, settings.retention_days).limits(now())
    try:
        verdict = _verdict(file, topic, limit, limits)
    except UnreadableFile as error:
        typer.echo(f"overfly: {error}", err=True)
        raise typer.Exit(2) from None
    _show(verdict, limit)
    if verdict.rejects:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a file holds: good positions, their devices and times (ms), and what is refused, by reason."""

    positions: int
    devices: int
    times: tuple[int, int] | None
    rejects: Counter[str]
    first_rejects: list[Reject]
    is_array: bool = False

    def place(self, item: int) -> str:
        """Lines are counted from 1 as editors do, items of an array from 0 as programs do."""
        return f"item {item}" if self.is_array else f"line {item + 1}"


def _verdict(file: Path, topic: str | None, listed: int, limits: DecodeLimits) -> _Verdict:
    """Raises UnreadableFile."""
    with opened_blocks(file) as blocks, _progress(file, blocks) as progress:
        head = b""
        while len(head) <= limits.payload_bytes and (block := blocks.read(BLOCK)):
            head += block
        if len(head) <= limits.payload_bytes:
            return _verdict_on_message(Message(head, topic), limits)
        if _is_array(head):
            size = len(head) + sum(map(len, iter(lambda: blocks.read(BLOCK), b"")))
            rejects = MessageRejects(0, Message(head, topic))
            rejects.add(payloads.too_large(size, limits.payload_bytes), None)
            return _Verdict(0, 0, None, Counter(["too_large"]), rejects.all())
        reader = LineReader(limits, topic, listed)
        reader.read(_continued(head, blocks.read), progress)
    found = reader.positions()
    return _Verdict(
        len(found), len(found.device_ids), _span(found.sample_time), found.rejects, found.first_rejects
    )


def _verdict_on_message(message: Message, limits: DecodeLimits) -> _Verdict:
    decoded = decode([message], now(), limits)
    rejects: Counter[str] = Counter()
    for reject in decoded.rejects:
        rejects[reject.reason] += reject.count
    batch = decoded.batch
    return _Verdict(
        positions=len(batch),
        devices=len(set(batch.device_id)),
        times=_span(batch.sample_time),
        rejects=rejects,
        first_rejects=decoded.rejects,
        is_array=_is_array(message.payload),
    )


def _span(times: NDArray[np.int64]) -> tuple[int, int] | None:
    return (int(times.min()), int(times.max())) if len(times) else None


def _is_array(payload: bytes) -> bool:
    return payload.lstrip(payloads.BLANK).startswith(b"[")


@contextmanager
def _progress(file: Path, blocks: Blocks) -> Iterator[Callable[[], object]]:
    """What to call now and then while reading; shows a bar on a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal or not file.is_file():
        yield lambda: None
        return
    columns = TextColumn("reading"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=file.stat().st_size)
        yield lambda: bar.update(task, completed=blocks.taken())


def _continued(head: bytes, blocks: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """`blocks` with `head` before them."""
    waiting = [head]
    return lambda size: waiting.pop() if waiting else blocks(size)


def _show(verdict: _Verdict, limit: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    single = [reject for reject in verdict.first_rejects if reject.count == 1][:limit]
    for reject in single:
        place = "message" if reject.item is None else verdict.place(reject.item)
        console.print(
            Text.assemble((f"{place:>12}  ", "dim"), (f"{reject.reason:<15}  ", "red"), reject.detail)
        )
    refused = verdict.rejects.total()
    if refused > len(single):
        console.print(Text(f"{'':>12}  and {refused - len(single):,} more", "dim"))
    if single or refused:
        console.print()
    console.print(Text(_accepted(verdict), "green" if verdict.positions else "yellow"))
    if refused:
        console.print(Text(f"{refused:,} refused", "red"))
    for reason, count in verdict.rejects.most_common():
        console.print(
            Text.assemble((f"{count:>12,}  ", ""), (f"{reason:<15}  ", "red"), (REASONS[reason], "dim"))
        )


def _accepted(verdict: _Verdict) -> str:
    if verdict.times is None:
        return "no position accepted"
    first, last = map(iso, verdict.times)
    positions = "1 position" if verdict.positions == 1 else f"{verdict.positions:,} positions"
    devices = "1 device" if verdict.devices == 1 else f"{verdict.devices:,} devices"
    span = f"at {first}" if first == last else f"from {first} to {last}"
    return f"{positions} of {devices} {span} accepted"
