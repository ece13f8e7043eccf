"""The baseline of the flood benchmark: a paho subscriber that counts and acknowledges, and does nothing else.

`python -m benchmarks.bare_subscriber URL TOPIC COUNT [--client-id ID] [--protocol 5|3.1.1] [--prepare]`
subscribes with a persistent session, prints `ready`, and after COUNT messages one line of JSON:
`{"messages": n, "seconds": s}` from the first message to the last. `--prepare` only creates the session, so
that a flood may wait at the broker.
"""

import argparse
import json
import time
from typing import Any

from paho.mqtt import client as mqtt

from ingest.mqtt.connection import MqttEndpoint


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("topic")
    parser.add_argument("count", type=int)
    parser.add_argument("--client-id", default="bare-subscriber")
    parser.add_argument("--protocol", choices=("5", "3.1.1"), default="5")
    parser.add_argument("--prepare", action="store_true")
    arguments = parser.parse_args()
    endpoint = MqttEndpoint(arguments.url, arguments.protocol, arguments.client_id)
    client = endpoint.client(persistent=True)
    times: list[float] = []

    def on_message(_client: mqtt.Client, _userdata: Any, _message: mqtt.MQTTMessage) -> None:
        times.append(time.perf_counter())
        if len(times) == arguments.count:
            client.disconnect()

    def on_subscribe(*_: Any) -> None:
        print("ready", flush=True)
        if arguments.prepare:
            client.disconnect()

    client.on_message = on_message
    client.on_subscribe = on_subscribe
    client.reconnect()
    client.subscribe(arguments.topic, qos=1)
    client.loop_forever()
    if times:
        print(json.dumps({"messages": len(times), "seconds": times[-1] - times[0]}), flush=True)


if __name__ == "__main__":
    main()
