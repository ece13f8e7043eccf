"""The receivers of events that the settings name."""

import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ingest.aws.clients import Timeouts
from service.dispatch.aws_batches import TIMEOUTS
from service.dispatch.email_channel import EmailChannel
from service.dispatch.event_bus import EventBus
from service.dispatch.eventbridge_channel import EventBridgeChannel
from service.dispatch.mail import address
from service.dispatch.mqtt_channel import MqttChannel
from service.dispatch.outbox import Channel
from service.dispatch.sms_channel import SmsChannel
from service.dispatch.smtp import SmtpServer
from service.dispatch.sns_channel import SnsChannel
from service.errors import SettingsError
from service.location.arns import HOME
from service.named_broker import mqtt_endpoint
from service.named_home import named_home
from service.settings import Settings


def named_channels(settings: Settings, public_url: str) -> list[Channel]:
    """All of them. public_url: where people reach the API, '' where they do not. Raises SettingsError."""
    return [channel for kind in KINDS for channel in kind(settings, public_url)]


def channel_faults(settings: Settings) -> Iterator[str]:
    """Each reason for which `named_channels` would refuse these settings."""
    for kind in KINDS:
        try:
            kind(settings, "")
        except SettingsError as error:
            yield str(error)


def mail_server(settings: Settings) -> SmtpServer | None:
    """The mail server that the settings name. Raises SettingsError."""
    if settings.smtp_url is None:
        return None
    try:
        return SmtpServer.from_url(settings.smtp_url.get_secret_value())
    except SettingsError as error:
        raise SettingsError(f"OVERFLY_SMTP_URL: {error}") from None


def event_bus(settings: Settings, timeouts: Timeouts = TIMEOUTS) -> EventBus | None:
    """The bus that the settings name. Raises SettingsError."""
    if settings.event_bus is None:
        return None
    try:
        said = settings.account_id != HOME.account
        home = named_home(settings) if said else None
        return EventBus(settings.event_bus, settings.event_source, timeouts, home)
    except SettingsError as error:
        raise SettingsError(f"OVERFLY_EVENT_BUS: {error}") from None


def _mail(settings: Settings, public_url: str) -> list[Channel]:
    server = mail_server(settings)
    if server is None:
        if settings.alert_email:
            raise SettingsError("OVERFLY_ALERT_EMAIL needs a mail server: set OVERFLY_SMTP_URL too")
        return []
    sender = settings.alert_from or f"overfly@{socket.gethostname()}"
    _address("OVERFLY_ALERT_FROM", sender)
    for recipient in settings.alert_email:
        _address("OVERFLY_ALERT_EMAIL", recipient)
    return _once_each(
        EmailChannel(
            server, sender=sender, recipient=each, interval=_interval(settings), public_url=public_url
        )
        for each in settings.alert_email
    )


def _address(variable: str, text: str) -> None:
    try:
        address(text)
    except SettingsError as error:
        raise SettingsError(f"{variable}: {error}") from None


def _mqtt(settings: Settings, _public_url: str) -> list[Channel]:
    if not settings.alert_mqtt:
        return []
    client_id = f"{settings.mqtt_client_id or f'overfly-{settings.tracker}'}-events"
    endpoint = mqtt_endpoint(settings, client_id)
    if endpoint is None:
        raise SettingsError("OVERFLY_ALERT_MQTT needs a broker: set OVERFLY_MQTT_URL too")
    return [MqttChannel(endpoint)]


def _eventbridge(settings: Settings, _public_url: str) -> list[Channel]:
    bus = event_bus(settings)
    return [] if bus is None else [EventBridgeChannel(bus)]


def _sns(settings: Settings, public_url: str) -> list[Channel]:
    if settings.sns_topic_arn is None:
        return []
    try:
        return [SnsChannel(settings.sns_topic_arn, public_url)]
    except SettingsError as error:
        raise SettingsError(f"OVERFLY_SNS_TOPIC_ARN: {error}") from None


def _sms(settings: Settings, _public_url: str) -> list[Channel]:
    try:
        return _once_each(SmsChannel(each, _interval(settings)) for each in settings.alert_sms)
    except SettingsError as error:
        raise SettingsError(f"OVERFLY_ALERT_SMS: {error}") from None


def _interval(settings: Settings) -> int:
    return int(settings.alert_interval * 1000)


def _once_each(channels: Iterable[Channel]) -> list[Channel]:
    """An address or a number written twice is one."""
    return list({each.gathering.outbox_name: each for each in channels}.values())


KINDS: Final[tuple[Callable[[Settings, str], list[Channel]], ...]] = (_mail, _mqtt, _eventbridge, _sns, _sms)
"""Each takes the settings and the public URL, and raises SettingsError."""
