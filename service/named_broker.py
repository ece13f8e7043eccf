"""The brokers that the settings name."""

from ingest.mqtt.connection import EndpointError, MqttEndpoint
from service.errors import SettingsError
from service.settings import Settings


def mqtt_endpoint(settings: Settings, client_id: str) -> MqttEndpoint | None:
    """The broker that the settings name. Raises SettingsError."""
    if settings.mqtt_url is None:
        return None
    password = settings.mqtt_password
    try:
        return MqttEndpoint(
            url=settings.mqtt_url.get_secret_value(),
            protocol=settings.mqtt_protocol,
            client_id=client_id,
            username=settings.mqtt_username,
            password=None if password is None else password.get_secret_value(),
            ca_file=settings.mqtt_ca_file,
            cert_file=settings.mqtt_cert_file,
            key_file=settings.mqtt_key_file,
            receive_maximum=settings.mqtt_receive_maximum,
        )
    except EndpointError as error:
        raise SettingsError(f"OVERFLY_MQTT_*: {error}") from None


def source_endpoint(settings: Settings) -> MqttEndpoint | None:
    """The broker that the settings name for the bridge to subscribe at. Raises SettingsError."""
    if settings.source_mqtt_url is None:
        return None
    password = settings.source_mqtt_password
    try:
        return MqttEndpoint(
            url=settings.source_mqtt_url.get_secret_value(),
            protocol=settings.source_mqtt_protocol,
            client_id=settings.source_mqtt_client_id,
            username=settings.source_mqtt_username,
            password=None if password is None else password.get_secret_value(),
            ca_file=settings.source_mqtt_ca_file,
            cert_file=settings.source_mqtt_cert_file,
            key_file=settings.source_mqtt_key_file,
        )
    except EndpointError as error:
        raise SettingsError(f"OVERFLY_SOURCE_MQTT_*: {error}") from None
