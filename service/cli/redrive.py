"""`overfly redrive`: what lies in the dead-letter queue, or where AWS IoT rules put what they could not
deliver; listed or sent back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.aws.clients import AwsClientError, queue_client
from ingest.aws.faults import AwsError, sentence
from ingest.redrive import DeadLetterBox, Letter, Redriven
from ingest.republishing.dead_letters import DeadLetterQueueAway
from ingest.republishing.iot_destination import iot_client
from ingest.republishing.work_queue import WorkQueue
from ingest.rule_errors import RuleError
from ingest.timestamps import iso
from service.cli.signals import stopped_by_signals
from service.errors import SettingsError
from service.named_dead_letters import check_dead_letter_queue_url, dead_letter_queue_url
from service.named_queue import QUEUE_URL, named_queue
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
    rule_errors: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Instead of the dead-letter queue, the queue at URL, which an AWS IoT rule's error action "
            "fills; sent back to that rule.",
        ),
    ] = None,
) -> None:
    """List what could not be delivered, from the dead-letter queue, or send it back.

    Reasons: malformed, bad_topic, too_large, refused, unheard; and receives, for what SQS itself put aside
    after too many receives. A letter is deleted only after it was sent, so that Ctrl-C loses none.
    """
    if rule_errors is not None and reason is not None:
        raise SettingsError("--reason is of the dead-letter queue: leave it out with --rule-errors")
    box, queue_url = _box() if rule_errors is None else (_rule_error_box(rule_errors), "")
    try:
        if send and rule_errors is not None:
            _try_again(box)
        elif send:
            _send_back(box, queue_url, reason)
        else:
            _list(box, reason, limit, of_rules=rule_errors is not None)
    except AwsError as error:
        where = f"queue {box.url} (--rule-errors)" if rule_errors is not None else _way(box, queue_url, send)
        typer.echo(f"overfly: {where}: {sentence(error)}", err=True)
        raise typer.Exit(1) from None


def _way(box: DeadLetterBox, queue_url: str, send: bool) -> str:
    """What was asked, and what names it."""
    ours = f"dead-letter queue {box.url} (of the redrive policy, or OVERFLY_DEAD_LETTER_QUEUE_URL)"
    return f"{ours}, and queue {queue_url} (OVERFLY_QUEUE_URL)" if send else ours


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
    except AwsError as error:
        typer.echo(f"overfly: queue {queue.url} (OVERFLY_QUEUE_URL): {sentence(error)}", err=True)
        raise typer.Exit(1) from None
    except DeadLetterQueueAway as error:
        typer.echo(f"overfly: {error}", err=True)
        raise typer.Exit(1) from None
    if url is None:
        raise SettingsError(
            "the queue has no redrive policy, so it has no dead-letter queue: "
            "give it one, or set OVERFLY_DEAD_LETTER_QUEUE_URL"
        )
    return DeadLetterBox(queue.client, url), queue.url


def _rule_error_box(url: str) -> DeadLetterBox:
    if not QUEUE_URL.fullmatch(url):
        raise SettingsError(
            "--rule-errors is no queue's URL: expected https://sqs.<region>.amazonaws.com/<account>/<name>"
        )
    try:
        return DeadLetterBox(queue_client(url), url)
    except AwsClientError as error:
        raise SettingsError(f"--rule-errors, AWS_*: {error}") from None


def _list(box: DeadLetterBox, reason: str | None, limit: int, *, of_rules: bool) -> None:
    about = box.count()
    letters = box.letters(limit, reason)
    for letter in letters:
        typer.echo(_shown(letter))
    typer.echo(f"{_counted(len(letters), 'letter')} listed; the queue has about {about:,}", err=True)
    if of_rules:
        _tell_strange(sum(RuleError.read(letter.body) is None for letter in letters))


def _tell_strange(count: int) -> None:
    """Letters that no rule's error action wrote, although --rule-errors says so."""
    if count:
        typer.echo(
            f"{_counted(count, 'letter')} of no AWS IoT rule's error action, which --send leaves where they "
            "are: a dead-letter queue is read without --rule-errors",
            err=True,
        )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _shown(letter: Letter) -> str:
    """Two or three lines: why, when, how often, and the first of the body."""
    error = RuleError.read(letter.body)
    if error is not None:
        return _shown_error(letter, error)
    body = letter.body[:BODY_CHARACTERS]
    when = f"sent {iso(letter.sent_time)}, received {_counted(letter.receives, 'time')}"
    lines = [f"{letter.reason}: {when}, {letter.message_id}"]
    if letter.detail:
        lines.append(f"    {_plain(letter.detail)}")
    return "\n".join([*lines, f"    {_plain(body)}{'…' if len(letter.body) > len(body) else ''}"])


def _shown_error(letter: Letter, error: RuleError) -> str:
    payload = error.payload.decode("utf-8", "replace")
    lines = [f"rule {error.rule}: sent {iso(letter.sent_time)}, {error.topic}", *error.reasons, payload]
    shown = [line[:BODY_CHARACTERS] + "…" * (len(line) > BODY_CHARACTERS) for line in lines]
    return "\n    ".join(map(_plain, shown))


def _plain(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _send_back(box: DeadLetterBox, queue_url: str, reason: str | None) -> None:
    about = box.count()
    with stopped_by_signals() as stop, _bar(about) as show:
        redriven = box.send_back(queue_url, reason, show, stop)
    typer.echo(f"{_counted(redriven.sent, 'letter')} sent back to {queue_url}; {redriven.left:,} left")
    if stop.is_set():
        raise typer.Exit(130)


def _try_again(box: DeadLetterBox) -> None:
    """Each to its rule; what is no document of an error action is left."""
    try:
        iot_data = iot_client(read_settings().iot_endpoint)
    except AwsClientError as error:
        raise SettingsError(f"OVERFLY_IOT_ENDPOINT, AWS_*: {error}") from None

    strange: set[str] = set()

    def take(letter: Letter) -> bool:
        error = RuleError.read(letter.body)
        if error is None:
            strange.add(letter.message_id)
        else:
            error.try_again(iot_data)
        return error is not None

    with stopped_by_signals() as stop, _bar(box.count()) as show:
        redriven = box.hand_over(take, None, show, stop)
    typer.echo(f"{_counted(redriven.sent, 'payload')} sent through the rules again; {redriven.left:,} left")
    _tell_strange(len(strange))
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
