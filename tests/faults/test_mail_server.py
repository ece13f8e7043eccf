"""A mail server that hangs delays mail and nothing else."""

import json
import socket
import threading
import time
from pathlib import Path

import httpx

from geofence.reading.geojson import feature_text
from tests.brokers import Mosquitto, free_port
from tests.faults.test_bad_messages import fix, publish
from tests.mailboxes import Mailbox
from tests.service.workshop import box
from tests.services import Overfly
from tests.waiting import wait_until


def test_while_the_mail_server_hangs_events_go_on_and_are_mailed_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    silent = socket.create_server(("127.0.0.1", port))
    held: list[socket.socket] = []
    threading.Thread(target=lambda: _hold(silent, held), daemon=True).start()
    with Mosquitto(tmp_path / "broker") as broker:
        overfly = Overfly(
            tmp_path / "overfly",
            {
                "MQTT_URL": broker.url,
                "SMTP_URL": f"smtp://127.0.0.1:{port}",
                "ALERT_EMAIL": "a@example.org",
                "ALERT_INTERVAL": "0",
            },
        )
        with overfly:
            url = f"{overfly.url}/v1/geofences/A"
            assert httpx.put(url, content=feature_text(box("A", 0, 10, 40, 50))).status_code in (200, 201)
            for number in range(20):
                inside = 5 if number % 2 == 0 else 20
                publish(broker.url, [("aircraft/x/position", _fix(number, inside))])
            wait_until(lambda: len(list(overfly.items("/v1/events"))) == 20, 20)
            wait_until(lambda: bool(held), 20)

            silent.shutdown(socket.SHUT_RDWR)
            silent.close()
            overfly.stop()
            for each in held:
                each.close()
            mailbox = Mailbox()
            overfly.settings = {**overfly.settings, "SMTP_URL": mailbox.url}
            with mailbox:
                overfly.start()
                wait_until(lambda: len(mailbox.event_ids()) == 20, 40)
                assert {each["status"] for each in overfly.items("/v1/alerts")} == {"sent"}


def _fix(number: int, longitude: float) -> bytes:
    return json.dumps(fix(deviceId="x", timestamp=time.time() - 60 + number, longitude=longitude)).encode()


def _hold(listener: socket.socket, held: list[socket.socket]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        held.append(connection)
