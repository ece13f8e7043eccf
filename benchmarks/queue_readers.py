"""What empties the queue in the republisher's benchmark: the republisher, or its bare libraries.

`python -m benchmarks.queue_readers bare|republisher QUEUE_URL BROKER_URL COUNT` takes COUNT messages, and
prints one line of JSON: `{"seconds": s, "requests": n, "publications": n}`, from the first request to the
last deletion.
"""

import argparse
import json
import threading
import time
from typing import Any

from ingest.aws.clients import queue_client
from ingest.aws.limits import REQUEST_ENTRIES
from ingest.mqtt.connection import MqttEndpoint
from ingest.republisher import Republisher
from ingest.republishing.bodies import ARRAY_BYTES
from ingest.republishing.dead_letters import DeadLetterQueue
from ingest.republishing.mqtt_destination import MqttDestination
from ingest.republishing.work_queue import WorkQueue

THREADS = 4
TOPIC = "overfly/positions/0"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("reader", choices=("bare", "republisher"))
    parser.add_argument("queue_url")
    parser.add_argument("broker_url")
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    read = bare if given.reader == "bare" else republisher
    print(json.dumps(read(given.queue_url, given.broker_url, given.count)), flush=True)


def bare(queue_url: str, broker_url: str, count: int) -> dict[str, float]:
    """Threads that receive ten messages, publish their bytes in pieces, and delete them; nothing else."""
    sqs: Any = queue_client(queue_url)
    client = MqttEndpoint(broker_url, client_id="bare").client(persistent=False)
    client.reconnect()
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.01)
    deleted, publications, requests = [0], [0], [0]
    counting = threading.Lock()

    def work() -> None:
        while deleted[0] < count:
            answer = sqs.receive_message(
                QueueUrl=queue_url,
                MaxNumberOfMessages=REQUEST_ENTRIES,
                WaitTimeSeconds=1,
                VisibilityTimeout=60,
            )
            messages = answer.get("Messages", [])
            sent = []
            for message in messages:
                body = message["Body"].encode()
                pieces = [body[start : start + ARRAY_BYTES] for start in range(0, len(body), ARRAY_BYTES)]
                sent += [client.publish(TOPIC, piece, qos=1) for piece in pieces]
            for each in sent:
                each.wait_for_publish()
            if messages:
                entries = [
                    {"Id": str(place), "ReceiptHandle": message["ReceiptHandle"]}
                    for place, message in enumerate(messages)
                ]
                sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)
            with counting:
                deleted[0] += len(messages)
                publications[0] += len(sent)
                requests[0] += 1 + bool(messages)
                ended[0] = time.perf_counter() if messages else ended[0]

    started = time.perf_counter()
    ended = [started]
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.loop_stop()
    return {"seconds": ended[0] - started, "requests": requests[0], "publications": publications[0]}


def republisher(queue_url: str, broker_url: str, count: int) -> dict[str, float]:
    """Ours, as `overfly republish` runs it."""
    client: Any = queue_client(queue_url)
    ours = Republisher(
        WorkQueue(client, queue_url),
        MqttDestination(MqttEndpoint(broker_url, client_id="ours")),
        lambda _: DeadLetterQueue(client, queue_url),
        batches=THREADS,
    )
    started, ended = [0.0], [0.0]

    def watch() -> None:
        while ours.depth is None or not ours.destination.ready:
            time.sleep(0.002)
        started[0] = time.perf_counter()
        while ours.counts.deleted < count:
            time.sleep(0.002)
        ended[0] = time.perf_counter()
        ours.stop()

    threading.Thread(target=watch).start()
    ours.run()
    return {
        "seconds": ended[0] - started[0],
        "requests": ours.counts.requests,
        "publications": ours.published.publications,
        "positions": ours.published.positions,
    }


if __name__ == "__main__":
    main()
