"""The bridge alone in a process: fills a queue from what waits in its session, and says how long it took.

`python -m benchmarks.bridge_subscriber URL TOPIC COUNT --queue URL [--client-id ID] [--prepare]` is to the
bridge what bare_subscriber is to paho: `--prepare` only creates the session. After COUNT messages it prints
one line of JSON: `{"messages": n, "seconds": s, "entries": n, "requests": n, "bytes": n}`, from the first
message received to the last one that the queue has accepted. boto3 finds the queue by the environment.
"""

import argparse
import json
import threading
import time

from ingest.aws.clients import queue_client
from ingest.aws.queue_sender import QueueSender
from ingest.bridge import Bridge
from ingest.mqtt.connection import MqttEndpoint
from service.named_hops import bridge_source
from service.settings import Settings

LOOK_SECONDS = 0.01
MOST_BYTES = 16 << 20
LINGER = Settings.model_fields["bridge_linger"].default


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("topic")
    parser.add_argument("count", type=int)
    parser.add_argument("--queue", required=True)
    parser.add_argument("--client-id", default="overfly-bridge")
    parser.add_argument("--linger", type=float, default=LINGER)
    parser.add_argument("--prepare", action="store_true")
    arguments = parser.parse_args()
    source = bridge_source(MqttEndpoint(arguments.url, client_id=arguments.client_id), [arguments.topic])
    sender = QueueSender(queue_client(arguments.queue), arguments.queue)
    bridge = Bridge(source, sender, linger=arguments.linger, most_bytes=MOST_BYTES)
    counters = bridge.counters
    measured: dict[str, float] = {}

    def watch() -> None:
        while not (source.subscribed if arguments.prepare else counters.received):
            time.sleep(LOOK_SECONDS / 10)
        started = time.perf_counter()
        while not arguments.prepare and counters.sent < arguments.count:
            time.sleep(LOOK_SECONDS)
        measured["seconds"] = time.perf_counter() - started
        bridge.stop()

    threading.Thread(target=watch, daemon=True).start()
    bridge.run()
    print(
        json.dumps(
            {
                "messages": counters.sent,
                **measured,
                "entries": counters.entries,
                "requests": counters.requests,
                "bytes": counters.bytes,
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
