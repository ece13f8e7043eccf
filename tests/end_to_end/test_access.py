"""A service that others reach, as its users run it: keys first, then nobody gets in without one."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import boto3
import httpx
import pytest
import typer
from botocore.config import Config
from typer.testing import CliRunner, Result

from service.cli.keys import register
from tests.brokers import Certificates
from tests.services import Overfly
from tests.waiting import wait_until

MANY = 10_000


def keys(overfly: Overfly, *arguments: str, **settings: str) -> Result:
    """`overfly keys ...`, with its settings, in this process: starting one takes seconds."""
    app = typer.Typer()
    register(app)
    named = {f"OVERFLY_{name}": value for name, value in settings.items()}
    return CliRunner().invoke(app, ["keys", *arguments], env={**overfly.environment(), **named})


def made(overfly: Overfly, *arguments: str) -> str:
    """What `keys create` shows."""
    created = keys(overfly, "create", *arguments)
    assert created.exit_code == 0, created.stderr
    return created.stdout.strip()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def overfly(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Overfly]:
    """At all addresses, with TLS; `admin` in its folder has an API key, `access` an access key."""
    folder = tmp_path_factory.mktemp("overfly")
    tls = {"TLS_CERT_FILE": str(certificates.server), "TLS_KEY_FILE": str(certificates.server_key)}
    service = Overfly(folder, options=("--host", "0.0.0.0"))
    (folder / "admin").write_text(made(service, "boss", "--scope", "admin"))
    (folder / "access").write_text(
        made(service, "sdk", "--kind", "access", "--scope", "write", "--scope", "read")
    )
    service.settings = tls
    service.launch()
    try:
        wait_until(lambda: _answers(service, certificates), 60, lambda: service.log[-4000:])
        yield service
    finally:
        service.stop()


def _answers(service: Overfly, certificates: Certificates) -> bool:
    service.assert_running()
    with suppress(httpx.TransportError):
        return httpx.get(f"{at(service)}/v1/ready", verify=trusting(certificates)).status_code == 200
    return False


def trusting(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificates.ca))


def at(overfly: Overfly) -> str:
    return f"https://localhost:{overfly.port}"


def test_with_a_key_it_answers_over_tls_and_without_one_it_does_not(
    overfly: Overfly, certificates: Certificates
) -> None:
    key = {"X-Api-Key": (overfly.folder / "admin").read_text()}
    with httpx.Client(base_url=at(overfly), verify=trusting(certificates)) as client:
        assert client.get("/v1/devices", headers=key).status_code == 200
        assert client.get("/v1/devices").status_code == 401
        assert client.get("/v1/health", headers={"Host": "any.example"}).status_code == 200
        assert client.get("/v1/devices", headers={"Host": "any.example", **key}).status_code == 200


def test_boto3_gets_in_with_an_access_key_of_the_command(
    overfly: Overfly, certificates: Certificates
) -> None:
    named = dict(line.split("=", 1) for line in (overfly.folder / "access").read_text().split())
    client = boto3.client(
        "location",
        endpoint_url=at(overfly),
        region_name="eu-central-1",
        aws_access_key_id=named["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=named["AWS_SECRET_ACCESS_KEY"],
        verify=str(certificates.ca),
        config=Config(inject_host_prefix=False),
    )
    assert client.list_trackers()["Entries"][0]["TrackerName"] == "default"


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Overfly, str]]:
    """On this machine, where everybody is asked; and an API key with all scopes."""
    service = Overfly(tmp_path_factory.mktemp("asking"), {"AUTH": "required"})
    boss = made(service, "boss", "--scope", "admin")
    with service:
        yield service, boss


def test_ten_thousand_connections_that_only_wait_take_nothing_from_who_asks(
    asking: tuple[Overfly, str],
) -> None:
    service, boss = asking
    with ExitStack() as held, httpx.Client(headers={"X-Api-Key": boss}, timeout=60) as client:
        for number in range(MANY):
            held.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=30))
            if number % 2_500 == 0:
                assert client.get(f"{service.url}/v1/devices").status_code == 200
        assert httpx.get(f"{service.url}/v1/devices", headers=client.headers).status_code == 200
    service.assert_running()


def test_keys_are_made_and_ended_through_a_service_that_runs(asking: tuple[Overfly, str]) -> None:
    service, boss = asking
    here, settings = ("--url", service.url), {"API_KEY": boss}
    assert "X-Api-Key" in str(keys(service, "list", *here).exception)
    gateway = ("gateway", "--scope", "write", "--tag", "fleet=north")
    created = keys(service, "create", *gateway, *here, **settings)
    assert created.exit_code == 0, created.stderr
    listed = keys(service, "list", "--json", *here, **settings).stdout.splitlines()
    (_, key) = map(json.loads, listed)
    assert (key["name"], key["scopes"], key["tags"]) == ("gateway", ["write"], {"fleet": "north"})
    headers = {"X-Api-Key": created.stdout.strip()}
    assert httpx.get(f"{service.url}/v1/devices", headers=headers).status_code == 403
    assert keys(service, "revoke", key["keyId"], *here, **settings).exit_code == 0
    assert httpx.get(f"{service.url}/v1/devices", headers=headers).status_code == 401
    record = keys(service, "audit", *here, **settings).stdout.splitlines()
    changes = [line.split(": ")[1].split()[0] for line in record if "_key" in line]
    assert changes == ["create_key", "create_key", "revoke_key"]
