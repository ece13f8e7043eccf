"""The MQTT source alone: receives and acknowledges, stores nothing. Beside bare_subscriber in the same run.

`python -m benchmarks.source_subscriber URL TOPIC COUNT [--client-id ID] [--protocol 5|3.1.1]` takes over
the session that `bare_subscriber --prepare` made, and prints the same line.
"""

import argparse
import json
import time

from ingest.messages import receipts
from ingest.mqtt.connection import MqttEndpoint
from ingest.mqtt.source import MqttSource


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("topic")
    parser.add_argument("count", type=int)
    parser.add_argument("--client-id", default="bare-subscriber")
    parser.add_argument("--protocol", choices=("5", "3.1.1"), default="5")
    arguments = parser.parse_args()
    endpoint = MqttEndpoint(arguments.url, arguments.protocol, arguments.client_id)
    source = MqttSource(endpoint, [arguments.topic])
    while not source.connected:
        source.receive(0.0)
    started = time.perf_counter()
    messages = 0
    while messages < arguments.count:
        batch = source.receive(1.0)
        source.acknowledge(receipts(batch))
        messages += len(batch)
    print(json.dumps({"messages": messages, "seconds": time.perf_counter() - started}), flush=True)
    source.close()


if __name__ == "__main__":
    main()
