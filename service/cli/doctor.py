"""`overfly doctor`: checks what Overfly rests on."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from geofence.kernels import BEST, COMPILED
from ingest.aws.clients import Timeouts, is_fifo
from ingest.republishing.iot_destination import iot_client
from service.bootstrap import open_database, start_faults
from service.dispatch.sns_clients import sns_client, topic_client
from service.doctor.broker import broker_findings
from service.doctor.events import bus_findings, text_message_finding, topic_finding
from service.doctor.finding import Finding
from service.doctor.folder import database_finding, folder_findings
from service.doctor.iot import iot_finding
from service.doctor.mail import mail_finding
from service.doctor.queue import queue_findings
from service.doctor.replica import replica_finding
from service.doctor.window import reorder_finding
from service.doctor.workers import workers_finding
from service.errors import SettingsError
from service.named_broker import mqtt_endpoint, source_endpoint
from service.named_channels import event_bus, mail_server
from service.named_database import database_weakness
from service.named_dead_letters import check_dead_letter_queue_url
from service.named_queue import named_queue
from service.named_replica import named_replica
from service.settings import Settings, read_settings
from service.store.database import Database

TIMEOUTS = Timeouts(connect=3.0, read=10.0)
WHY_NUMPY = "; the compiled one, which is faster, was not built for this machine"
MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "fault": "[red]fault[/]  "}


def register(app: typer.Typer) -> None:
    app.command("doctor")(_doctor)


def _doctor(
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as faults.")] = False,
) -> None:
    """Check settings, data folder, database, brokers, queue, AWS IoT, and who is told of events.

    Safe at any time, beside what runs. Exit status 1 if something does not work.
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
    """Every start check of the commands that run on; one that fails is a finding, and the rest goes on."""
    faults = list(start_faults(settings))
    for fault in faults:
        yield Finding("settings", "fault", fault)
    if not faults:
        yield Finding("settings", "ok", "all known and valid; `overfly settings` lists them")
    yield Finding("geofences", "ok", f"looked up by the {BEST.name} kernel{'' if COMPILED else WHY_NUMPY}")
    if settings.database_url is None:
        yield from folder_findings(settings.data_dir)
    if settings.database_url is not None or settings.data_dir.exists():
        with suppress(SettingsError):  # told among the settings
            database, weakness = open_database(settings), database_weakness(settings)
            found = database_finding(database)
            yield found
            if settings.database_url is not None and found.verdict == "ok":
                yield workers_finding(database)
            yield from _replica_findings(settings, database)
            database.close()
            if weakness is not None:
                yield Finding("database's TLS", "warning", weakness)
    if not _reads_standard_queue(settings):  # else the queue's visibility timeout decides
        yield reorder_finding(settings.reorder_seconds)
    yield from _source_broker_findings(settings)
    yield from _broker_findings(settings)
    yield from _queue_findings(settings)
    yield from _iot_findings(settings)
    yield from _mail_findings(settings)
    yield from _event_findings(settings)
    yield from _untold_findings(settings)


def _replica_findings(settings: Settings, database: Database) -> Iterator[Finding]:
    replica = named_replica(settings, database)
    if replica is not None:
        yield replica_finding(replica)
        replica.close()


def _broker_findings(settings: Settings) -> Iterator[Finding]:
    if settings.mqtt_url is None:
        if settings.queue_url is None:
            detail = "neither OVERFLY_MQTT_URL nor OVERFLY_QUEUE_URL is set: positions come by POST alone"
            yield Finding("broker", "warning", detail)
        return
    with suppress(SettingsError):  # told among the settings
        endpoint = mqtt_endpoint(settings, "overfly-doctor")
        if endpoint is not None:
            yield from broker_findings(endpoint, settings.topics)


def _source_broker_findings(settings: Settings) -> Iterator[Finding]:
    with suppress(SettingsError):  # told among the settings
        endpoint = source_endpoint(settings)
        if endpoint is not None:
            yield from broker_findings(
                endpoint, settings.source_topics, "source broker", "OVERFLY_SOURCE_MQTT"
            )


def _queue_findings(settings: Settings) -> Iterator[Finding]:
    with suppress(SettingsError):  # told among the settings
        queue = named_queue(settings, TIMEOUTS)
        if queue is not None:
            yield from queue_findings(
                queue.client,
                queue.url,
                settings.reorder_seconds,
                reads=_reads_queue(settings),
                dead_letters=_dead_letters(settings),
            )


def _reads_queue(settings: Settings) -> bool:
    """Whether the queue is to be read here, not only filled by the bridge."""
    only_filled = settings.source_mqtt_url is not None and settings.mqtt_url is None
    return settings.queue_url is not None and not only_filled


def _reads_standard_queue(settings: Settings) -> bool:
    return _reads_queue(settings) and not is_fifo(settings.queue_url or "")


def _iot_findings(settings: Settings) -> Iterator[Finding]:
    """Where the settings name AWS IoT; a tracker at the queue has nothing to do with it."""
    if _republishes_to_iot(settings):
        yield iot_finding(lambda: iot_client(settings.iot_endpoint, TIMEOUTS))


def _republishes_to_iot(settings: Settings) -> bool:
    return settings.republish_to == "iot" or settings.iot_endpoint is not None


def _dead_letters(settings: Settings) -> str | None:
    with suppress(SettingsError):  # told among the settings
        check_dead_letter_queue_url(settings)
        return settings.dead_letter_queue_url
    return None


def _mail_findings(settings: Settings) -> Iterator[Finding]:
    if settings.smtp_url is None:
        return
    with suppress(SettingsError):  # told among the settings
        server = mail_server(settings)
        if server is not None:
            yield mail_finding(server)
    if not settings.alert_email:
        yield Finding("recipients", "warning", "OVERFLY_ALERT_EMAIL is not set: nobody is told by mail")


def _event_findings(settings: Settings) -> Iterator[Finding]:
    with suppress(SettingsError):  # told among the settings
        bus = event_bus(settings, TIMEOUTS)
        if bus is not None:
            yield from bus_findings(bus.client, bus.name, settings.event_source)
    with suppress(SettingsError):
        if settings.sns_topic_arn is not None:
            topic = settings.sns_topic_arn
            yield topic_finding(topic_client(topic, TIMEOUTS), topic)
    with suppress(SettingsError):
        if settings.alert_sms:
            yield text_message_finding(sns_client(timeouts=TIMEOUTS))


def _untold_findings(settings: Settings) -> Iterator[Finding]:
    """Where events are made and nobody hears of them. Half of mail's settings is told with those."""
    told = settings.alert_email, settings.alert_sms, settings.alert_mqtt
    if any(told) or settings.smtp_url or settings.event_bus or settings.sns_topic_arn:
        return
    if settings.mqtt_url is not None or (_reads_queue(settings) and not _republishes_to_iot(settings)):
        detail = "nobody is told of events: set OVERFLY_SMTP_URL and OVERFLY_ALERT_EMAIL, OVERFLY_ALERT_SMS, "
        detail += "OVERFLY_EVENT_BUS, OVERFLY_SNS_TOPIC_ARN or OVERFLY_ALERT_MQTT"
        yield Finding("receivers", "warning", detail)
