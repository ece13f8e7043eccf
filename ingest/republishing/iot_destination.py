"""AWS IoT Core as the republisher's destination: Publish by HTTPS, some at once.

It cannot say that nobody subscribes: there the IoT rule behind it, with its error action, is the guarantee.
https://docs.aws.amazon.com/iot/latest/apireference/API_iotdata_Publish.html
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Final

from botocore.exceptions import ClientError

from ingest.aws.clients import DEFAULT_TIMEOUTS, AwsClientError, Timeouts, client
from ingest.aws.faults import AwsError, denied, sentence, temporary
from ingest.republishing.bodies import ARRAY_BYTES
from ingest.republishing.destination import Answer, Outcome

AT_ONCE: Final = 16
"""Requests under way."""
OUTCOMES: Final = {
    "InvalidRequestException": Outcome.REFUSED,
    "RequestEntityTooLargeException": Outcome.TOO_LARGE,
}
"""By code of the error, where no right is missing. Others are tried again where they can pass."""


def iot_client(endpoint: str | None, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> Any:
    """A client of iot-data; without an endpoint AWS IoT is asked for the account's.

    Raises AwsClientError, AwsError.
    """
    if endpoint is None:
        asked = client("iot", timeouts=timeouts).describe_endpoint(endpointType="iot:Data-ATS")
        endpoint = f"https://{asked['endpointAddress']}"
    return client("iot-data", endpoint=endpoint, timeouts=timeouts, connections=AT_ONCE)


class IotDestination:
    """`make_client` gives the boto3 client of iot-data; it may ask AWS for the endpoint, and fail first.

    One thread asks it, and those that wait meanwhile share its answer or failure; then it is asked again.
    """

    def __init__(self, make_client: Callable[[], Any], url: str = "AWS IoT Core") -> None:
        self.url = url
        self._make_client = make_client
        self._asked: Future[Any] | None = None
        self._asking = threading.Lock()
        self._requests: SimpleQueue[tuple[int, str, bytes] | None] = SimpleQueue()
        self._answers: SimpleQueue[Answer | BaseException | None] = SimpleQueue()
        self._under_way = 0
        self._threads = 0
        self._closed = False

    @property
    def ready(self) -> bool:
        return True

    @property
    def has_room(self) -> bool:
        return self._under_way < AT_ONCE

    def most_bytes(self, topic: str) -> int:
        return ARRAY_BYTES

    @property
    def problem(self) -> str | None:
        return None

    def publish(self, key: int, topic: str, payload: bytes) -> None:
        self._under_way += 1
        if self._threads < min(self._under_way, AT_ONCE):
            self._threads += 1
            # a daemon: one that waits for an answer does not hold up the end of the process
            name = f"iot-publish {self._threads}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
        self._requests.put((key, topic, payload))

    def turn(self, wait: float) -> list[Answer]:
        """Raises what a request of ours died of, where that is no answer of AWS."""
        answers = []
        try:
            found = self._answers.get(timeout=wait)
            while True:
                if isinstance(found, BaseException):
                    raise found
                if found is not None:
                    answers.append(found)
                found = self._answers.get_nowait()
        except Empty:
            self._under_way -= len(answers)
            return answers

    def wake(self) -> None:
        self._answers.put(None)

    def close(self) -> None:
        """None begins after it; what is under way is not waited for."""
        self._closed = True
        for _ in range(self._threads):
            self._requests.put(None)

    def _work(self) -> None:
        while (request := self._requests.get()) is not None and not self._closed:
            try:
                self._answers.put(self._answer(*request))
            except BaseException as error:  # raised again from `turn`, in the thread that waits
                self._answers.put(error)

    def _answer(self, key: int, topic: str, payload: bytes) -> Answer:
        outcome, detail = Outcome.DELIVERED, ""
        try:
            self._connected_client().publish(topic=topic, qos=1, payload=payload)
        except ClientError as error:
            outcome, detail = _refusal(error), f"{topic}: {sentence(error)}"
        except (*AwsError, AwsClientError) as error:
            outcome, detail = _unknown(error), f"{topic}: {sentence(error)}"
        return Answer(key, outcome, detail)

    def _connected_client(self) -> Any:
        """Raises AwsClientError after the close, so that nothing begins then."""
        with self._asking:
            self._check_open()
            asked = self._asked
            is_ours = asked is None
            if asked is None:
                asked = self._asked = Future()
        if is_ours:
            try:
                asked.set_result(self._make_client())
            except BaseException as error:
                self._asked = None
                asked.set_exception(error)
        made = asked.result()
        self._check_open()
        return made

    def _check_open(self) -> None:
        if self._closed:
            raise AwsClientError("not sent, since this ends")


def _refusal(error: ClientError) -> Outcome:
    if denied(error):
        return Outcome.DENIED
    return OUTCOMES.get(str(error.response.get("Error", {}).get("Code"))) or _unknown(error)


def _unknown(error: Exception) -> Outcome:
    return Outcome.BUSY if temporary(error) or isinstance(error, AwsClientError) else Outcome.REFUSED
