"""How long a queue is asked for messages, and what time it was there when it answered."""

import time
from email.utils import parsedate_to_datetime
from typing import Any, Final

POLL_SECONDS: Final = 2
"""How long an empty queue holds our request, and so what an end waits for at most. A month has 1.3 million
of them.
"""


def answered_at(answer: Any) -> float:
    """By the clock of the queue, in whole seconds since the epoch; by ours where the answer does not say."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return time.time() if date is None else parsedate_to_datetime(date).timestamp()
