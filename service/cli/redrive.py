"""`overfly redrive`: what lies in the dead-letter queue, listed or sent back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.aws.faults import sentence
from ingest.redrive import DeadLetterBox, Letter, Redriven
from ingest.republishing.work_queue import WorkQueue
from ingest.timestamps import iso
from service.cli.publishing import stopped_by_signals
from service.errors import SettingsError
from service.named_dead_letters import check_dead_letter_queue_url, dead_letter_queue_url
from service.named_queue import named_queue
from service.settings import read_settings

BODY_CHARACTERS: Final = 160


def register(app: typer.Typer) -> None:
    app.command("redrive")(_redrive)


def _redrive(
    send: Annotated[
        bool, typer.Option("--send", help="Send them back to OVERFLY_QUEUE_URL instead of listing them.")
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="Only those of this reason, as the list shows it."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="List so many at most.")] = 100,
) -> None:
    """List what could not be delivered, from the dead-letter queue, or send it back.

    Reasons: malformed, bad_topic, too_large, refused, unheard; and receives, for what SQS itself put aside
    after too many receives. A letter is deleted only after it was sent, so that Ctrl-C loses none.
    """
    box, queue_url = _box()
    try:
        if send:
            _send_back(box, queue_url, reason)
        else:
            _list(box, reason, limit)
    except (BotoCoreError, ClientError) as error:
        typer.echo(f"overfly: {sentence(error)}", err=True)
        raise typer.Exit(1) from None


def _box() -> tuple[DeadLetterBox, str]:
    settings = read_settings()
    queue = named_queue(settings)
    if queue is None:
        raise SettingsError(
            "`overfly redrive` needs the queue that letters go back to: set OVERFLY_QUEUE_URL"
        )
    check_dead_letter_queue_url(settings)
    try:
        arn = (
            None
            if settings.dead_letter_queue_url
            else WorkQueue(queue.client, queue.url).facts().dead_letter_arn
        )
        url = dead_letter_queue_url(settings, queue.client, arn)
    except (BotoCoreError, ClientError) as error:
        typer.echo(f"overfly: {sentence(error)}", err=True)
        raise typer.Exit(1) from None
    if url is None:
        raise SettingsError(
            "the queue has no redrive policy, so it has no dead-letter queue: "
            "give it one, or set OVERFLY_DEAD_LETTER_QUEUE_URL"
        )
    return DeadLetterBox(queue.client, url), queue.url


def _list(box: DeadLetterBox, reason: str | None, limit: int) -> None:
    about = box.count()
    letters = box.letters(limit, reason)
    for letter in letters:
        typer.echo(_shown(letter))
    typer.echo(f"{len(letters):,} letters listed; the queue has about {about:,}", err=True)


def _shown(letter: Letter) -> str:
    """Two or three lines: why, when, how often, and the first of the body."""
    body = letter.body[:BODY_CHARACTERS]
    when = f"sent {iso(letter.sent_time)}, received {letter.receives} times"
    lines = [f"{letter.reason}: {when}, {letter.message_id}"]
    if letter.detail:
        lines.append(f"    {_plain(letter.detail)}")
    return "\n".join([*lines, f"    {_plain(body)}{'…' if len(letter.body) > len(body) else ''}"])


def _plain(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _send_back(box: DeadLetterBox, queue_url: str, reason: str | None) -> None:
    about = box.count()
    with stopped_by_signals() as stop, _bar(about) as show:
        redriven = box.send_back(queue_url, reason, show, stop)
    typer.echo(f"{redriven.sent:,} letters sent back to {queue_url}; {redriven.left:,} left")
    if stop.is_set():
        raise typer.Exit(130)


@contextmanager
def _bar(about: int) -> Iterator[Callable[[Redriven], None]]:
    """On a terminal only."""
    columns = TextColumn("sending back"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("sending back", total=about)
        yield lambda redriven: bar.update(
            task, completed=redriven.sent, total=max(about, redriven.sent + redriven.left)
        )
