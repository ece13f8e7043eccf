"""`overfly doctor`: checks what Overfly rests on."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console

from service.bootstrap import mail_server, open_database
from service.doctor import (
    Finding,
    broker_findings,
    database_finding,
    folder_findings,
    mail_finding,
    reorder_finding,
)
from service.named_broker import mqtt_endpoint
from service.settings import Settings, read_settings

MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "fault": "[red]fault[/]  "}


def register(app: typer.Typer) -> None:
    app.command("doctor")(_doctor)


def _doctor(
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as faults.")] = False,
) -> None:
    """Check settings, data folder, database, broker and mail server; safe beside a running service.

    Exit status 1 if something does not work.
    """
    console = Console(highlight=False, soft_wrap=True)
    settings = read_settings()
    bad = ("fault", "warning") if strict else ("fault",)
    faults = 0
    for finding in _findings(settings):
        console.print(MARKS[finding.verdict], f"[bold]{finding.subject}[/]:", end=" ")
        console.print(finding.detail, markup=False)
        faults += finding.verdict in bad
    raise typer.Exit(1 if faults else 0)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield Finding("settings", "ok", "all known and valid; `overfly settings` lists them")
    yield from folder_findings(settings.data_dir)
    if settings.data_dir.exists():
        database = open_database(settings)
        yield database_finding(database)
        database.close()
    yield reorder_finding(settings.reorder_seconds)
    endpoint = mqtt_endpoint(settings, "overfly-doctor")
    if endpoint is None:
        yield Finding(
            "broker", "warning", "OVERFLY_MQTT_URL is not set: positions come by POST /v1/positions alone"
        )
    else:
        yield from broker_findings(endpoint, settings.topics)
    server = mail_server(settings)
    if server is None:
        yield Finding("mail server", "warning", "OVERFLY_SMTP_URL is not set: nobody is told by mail")
    else:
        yield mail_finding(server)
    if server is not None and not settings.alert_email:
        yield Finding("recipients", "warning", "OVERFLY_ALERT_EMAIL is not set: nobody is told by mail")
