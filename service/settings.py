"""Settings: environment variables `OVERFLY_*`, the same names in an optional `overfly.toml`.

Only the composition root (`bootstrap`, and the `named_*` modules, which make what settings name) and the
commands read them; everything else receives values as arguments.
"""

import difflib
import os
import socket
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as NotParsed

from service.errors import SettingsError
from service.location.arns import HOME
from service.location.limits import AMAZONS, Limits

PREFIX = "OVERFLY_"
TOML_FILE = Path("overfly.toml")

Names = Annotated[tuple[str, ...], NoDecode]
"""Comma-separated in the environment, a list or the same text in TOML."""


class Settings(BaseSettings):
    """What an operator can choose. Each field's description is in docs/settings.md and `overfly settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data_dir: Path = Field(
        Path("overfly-data"), description="folder of the database, owned by one process at a time"
    )
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL with PostGIS, postgresql+psycopg://user@host:5432/database; SQLite in the "
        "data folder when unset",
    )
    database_read_url: SecretStr | None = Field(
        None,
        description="streaming replica of it, for what the API reads; the same kind of URL, of one server",
    )
    database_read_max_lag: float = Field(
        30, ge=3, description="seconds that the replica may be behind; beyond, reads are answered by 503"
    )
    database_password_file: Path | None = Field(
        None, description="file that holds the database's password; read anew when the database refuses it"
    )
    database_password_secret: str | None = Field(
        None,
        description="the same in AWS: name or ARN of a secret in Secrets Manager, or ssm:<name> of a "
        "parameter; the password itself or JSON with `password` and perhaps `username`",
    )
    tracker: str = Field("default", description="tracker that what comes from broker or queue feeds")
    worker_id: str = Field(
        default_factory=socket.gethostname, description="name under which this worker owns its shards"
    )
    lease_seconds: float = Field(
        10,
        ge=1,
        le=600,
        description="how long a worker that stopped in silence keeps its shards on PostgreSQL",
    )
    mqtt_url: SecretStr | None = Field(
        None,
        description="broker where the tracker subscribes and `republish` publishes: mqtt://host:1883 or "
        "mqtts://host:8883",
    )
    mqtt_protocol: Literal["5", "3.1.1"] = Field("5", description="MQTT version to speak")
    mqtt_client_id: str | None = Field(
        None, description="fixed client id of the persistent session; overfly-<tracker> when unset"
    )
    mqtt_username: str | None = Field(None, description="user at the broker")
    mqtt_password: SecretStr | None = Field(None, description="password at the broker")
    mqtt_ca_file: Path | None = Field(None, description="certificate authority of the broker (PEM)")
    mqtt_cert_file: Path | None = Field(None, description="client certificate (PEM)")
    mqtt_key_file: Path | None = Field(None, description="key of the client certificate (PEM)")
    mqtt_receive_maximum: int = Field(
        2000, ge=1, le=65535, description="messages in flight asked of an MQTT 5 broker"
    )
    topics: Names = Field(
        ("aircraft/+/position", "overfly/positions/+"), description="topic filters to subscribe to"
    )
    track_from: Literal["auto", "mqtt", "queue"] = Field(
        "auto", description="where positions come from; auto: the broker where one is set, else the queue"
    )
    source_mqtt_url: SecretStr | None = Field(
        None, description="broker that `overfly bridge` subscribes at: mqtt://host:1883 or mqtts://host:8883"
    )
    source_mqtt_protocol: Literal["5", "3.1.1"] = Field("5", description="MQTT version to speak there")
    source_mqtt_client_id: str = Field(
        "overfly-bridge", description="fixed client id of the bridge's persistent session"
    )
    source_mqtt_username: str | None = Field(None, description="user at the source broker")
    source_mqtt_password: SecretStr | None = Field(None, description="password at the source broker")
    source_mqtt_ca_file: Path | None = Field(
        None, description="certificate authority of the source broker (PEM)"
    )
    source_mqtt_cert_file: Path | None = Field(None, description="client certificate for it (PEM)")
    source_mqtt_key_file: Path | None = Field(None, description="key of that certificate (PEM)")
    source_topics: Names = Field(
        ("aircraft/+/position",), description="topic filters that the bridge subscribes to"
    )
    queue_url: str | None = Field(
        None, description="SQS queue that the bridge fills and that `republish`, `track` or `serve` read"
    )
    queue_role_arn: str | None = Field(
        None, description="role to assume for the queue, in the account that owns it"
    )
    queue_external_id: SecretStr | None = Field(None, description="ExternalId that the role's trust asks for")
    dead_letter_queue_url: str | None = Field(
        None,
        description="queue for what cannot be delivered; the one of the queue's redrive policy when unset",
    )
    bridge_linger: float = Field(
        0.25,
        ge=0,
        le=60,
        description="seconds that the bridge gathers messages of a shard before it sends them",
    )
    bridge_bytes: int = Field(
        16 << 20, ge=1 << 20, description="bytes that the bridge holds at most, unconfirmed by the queue"
    )
    republish_to: Literal["auto", "mqtt", "iot"] = Field(
        "auto",
        description="mqtt: the broker of OVERFLY_MQTT_URL; iot: AWS IoT Core; auto: the broker if one is set",
    )
    republish_batches: int = Field(
        4, ge=1, le=64, description="batches of queue messages that `republish` works on at once"
    )
    iot_endpoint: str | None = Field(
        None, description="https://...-ats.iot.<region>.amazonaws.com; asked of AWS IoT when unset"
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="loopback port where `bridge`, `republish`, `track` and `dispatch` show /metrics",
    )
    reorder_seconds: float = Field(
        0, ge=0, le=86_400, description="how long fixes wait to be put in order before evaluation"
    )
    unknown_altitude: Literal["outside", "inside"] = Field(
        "outside",
        description="where a position without altitude is, of a geofence with minAltitude or maxAltitude",
    )
    max_ahead: float = Field(600, ge=0, description="seconds that a timestamp may be ahead of its receipt")
    retention_days: float | None = Field(
        None, gt=0, description="days that positions and events are kept; for ever when unset"
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="mail server: smtp://host:25, smtp+starttls://user:password@host:587, smtps://host:465",
    )
    alert_email: Names = Field((), description="addresses told of every event by mail")
    alert_from: str | None = Field(None, description="sender of the mails; overfly@<host name> when unset")
    alert_interval: float = Field(
        60,
        ge=0,
        description="least seconds between two mails, or text messages, to one recipient; what comes between "
        "is gathered",
    )
    alert_mqtt: bool = Field(
        False, description="publish every event to overfly/events/<collection>/<geofence> at the broker"
    )
    event_bus: str | None = Field(
        None, description="EventBridge bus (name or ARN) that every event is put on"
    )
    event_source: str = Field("overfly", description="`source` of the events on the bus")
    sns_topic_arn: str | None = Field(None, description="SNS topic that every event is published to")
    alert_sms: Names = Field((), description="telephone numbers (+41...) told of events by text message")
    auth: Literal["auto", "required", "off"] = Field(
        "auto",
        description="who says who they are: auto: everybody, except on this machine; required: there too; "
        "off: nobody, on loopback only, as behind a proxy that asks",
    )
    keys_secret: SecretStr | None = Field(
        None,
        description="what access keys are made of, 32 characters or more; `keys.secret` in the data folder "
        "when unset, which SQLite alone makes by itself",
    )
    keys_secret_file: Path | None = Field(None, description="file that holds it")
    api_key: SecretStr | None = Field(
        None, description="key by which commands speak to a running service that asks for one"
    )
    api_key_file: Path | None = Field(None, description="file that holds it")
    rate_limit: float | None = Field(
        None,
        gt=0,
        description="requests a second of a caller whose key says nothing else; any number when unset",
    )
    oidc_issuer: str | None = Field(
        None,
        description="issuer of JSON Web Tokens (OpenID Connect), as https://cognito-idp.<region>.amazonaws.com/<pool>",
    )
    oidc_audience: Names = Field(
        (), description="whom a token must be for: `aud`, or the client id of Cognito's access tokens"
    )
    oidc_claims: Names = Field(
        ("scope", "scp", "cognito:groups"), description="claims that name scopes, as text or as a list"
    )
    oidc_prefix: str = Field(
        "overfly/", description="what stands before read, write or admin there, such as overfly/read"
    )
    audit_days: float = Field(400, gt=0, description="days that the record of who changed what is kept")
    max_connections: int = Field(
        4096,
        ge=16,
        le=60_000,
        description="connections at once; beyond, the one that waits longest without a request is closed",
    )
    tls_cert_file: Path | None = Field(
        None, description="certificate that `serve` shows, with its chain (PEM)"
    )
    tls_key_file: Path | None = Field(None, description="key of that certificate (PEM)")
    public_url: str | None = Field(
        None, description="where people reach the API, for links in mails; the address served when unset"
    )
    account_id: str = Field(
        HOME.account,
        pattern=r"^\d{12}$",
        description="account in the ARNs of Amazon Location's API, 12 digits; of events too, where it is set",
    )
    region: str | None = Field(
        None,
        pattern="^[a-z]{2}(-[a-z]+)+-[0-9]+$",
        description="region in these ARNs; boto3's (AWS_REGION) when unset, else us-east-1",
    )
    location_limits: Limits = Field(
        AMAZONS,
        description="what differs from Amazon's quotas, as JSON: trackers, collections, consumers (of a "
        "tracker), geofences (of a collection), tags, updates_per_batch, history_days (shown): "
        '{"updates_per_batch": 1000}',
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="console on a terminal, JSON elsewhere"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")

    @field_validator(
        "topics",
        "source_topics",
        "alert_email",
        "alert_sms",
        "oidc_audience",
        "oidc_claims",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("topics", "source_topics")
    @classmethod
    def _filters(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        for topic in topics:
            levels = topic.split("/")
            misplaced = any(len(level) > 1 and not {"+", "#"}.isdisjoint(level) for level in levels)
            if misplaced or "#" in levels[:-1] or "\0" in topic:
                raise ValueError(
                    f"{topic!r} is no MQTT topic filter: expected `+` for one whole level, "
                    "`#` for all levels at the end"
                )
        return topics

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _TomlSource(settings_cls)


class _TomlSource(TomlConfigSettingsSource):
    """`overfly.toml` with the environment's own names: `OVERFLY_TOPICS = ["aircraft/+/position"]`."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls, TOML_FILE)

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        try:
            content = super()._read_file(file_path)
        except ValueError as error:  # TOMLDecodeError, or bytes that are not UTF-8
            raise SettingsError(f'{file_path}: {error}; expected lines such as {PREFIX}X = "value"') from None
        _refuse_unknown(content, str(file_path))
        return {name.removeprefix(PREFIX).lower(): value for name, value in content.items()}


def read_settings() -> Settings:
    """The settings of this process.

    Raises SettingsError that names each variable which is unknown or has a value that cannot be.
    """
    _refuse_unknown((name for name in os.environ if name.startswith(PREFIX)), "the environment")
    try:
        return Settings()
    except NotParsed as error:
        raise SettingsError(f"{error}: expected JSON") from None
    except ValidationError as error:
        faults = "; ".join(
            f"{PREFIX}{'_'.join(map(str, fault['loc'])).upper()}: "
            + _expected(str(fault["loc"][0]), fault["type"], fault["msg"])
            for fault in error.errors()
        )
        raise SettingsError(faults) from None  # the original repeats the values, secrets among them


NUMBERS: Final = {"int_parsing": "a whole number", "float_parsing": "a number"}
OUT_OF_RANGE: Final = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})


def _expected(name: str, fault: str, message: str) -> str:
    """Of a number that cannot be, with an example and its meaning, which has its unit."""
    setting = Settings.model_fields[name]
    if fault in NUMBERS:
        example = "" if setting.default is None else f" such as {setting.default}"
        return f"expected {NUMBERS[fault]}{example} ({setting.description})"
    if fault in OUT_OF_RANGE:
        return f"{message} ({setting.description})"
    return message.removeprefix("Value error, ")


def _refuse_unknown(names: Iterable[str], where: str) -> None:
    known = [PREFIX + field.upper() for field in Settings.model_fields]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else "; `overfly settings` lists those there are"
            raise SettingsError(f"{name} in {where} is not a setting{hint}")
