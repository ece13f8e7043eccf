"""The reorder window: how long a fix waits for those measured before it but received after.

Its clock runs only while the source is connected and drained: what a broker still holds may be older than
what waits here. It starts anew on start and on reconnection.
"""

from collections import deque


class ReorderClock:
    """Tells which receipts have had their time. Pure: the caller says what a monotonic clock shows (seconds).

    A `receipt` is the received_time of a batch, in milliseconds.
    """

    COALESCED = 0.01  # seconds; receipts this close wait together: bounds what is remembered

    def __init__(self, window: float) -> None:
        self.window = window
        self._ran = 0.0  # seconds that the clock has run
        self._since: float | None = None  # when it was last started; None: it stands
        self._waiting: deque[tuple[float, int]] = deque()  # (_ran from which the window counts, receipt)

    @property
    def waiting(self) -> bool:
        """Whether anything is known to wait."""
        return bool(self._waiting)

    @property
    def running(self) -> bool:
        return self._since is not None

    def run(self, time: float) -> None:
        self._ran = self._read(time)
        self._since = time

    def stand(self, time: float) -> None:
        self._ran = self._read(time)
        self._since = None

    def start_anew(self, time: float, last_receipt: int | None) -> None:
        """All that was received up to `last_receipt` waits the whole window from now on."""
        self._ran = self._read(time)
        if self._since is not None:
            self._since = time
        self._waiting.clear()
        if last_receipt is not None:
            self._waiting.append((self._ran, last_receipt))

    def received(self, time: float, receipt: int) -> None:
        """Where several write, one received before others and committed after them waits with them."""
        counts_from = self._read(time)
        if self._waiting:
            receipt = max(receipt, self._waiting[-1][1])
        if self._waiting and counts_from <= self._waiting[-1][0]:
            self._waiting[-1] = (self._waiting[-1][0], receipt)
        else:
            self._waiting.append((counts_from + (self.COALESCED if self.window else 0.0), receipt))

    def due(self, time: float) -> int | None:
        """The latest receipt whose window has passed; None: none has. It stays due until `done`."""
        passed = self._read(time) - self.window
        receipt = None
        for counts_from, each in self._waiting:
            if counts_from > passed:
                break
            receipt = each
        return receipt

    def done(self, receipt: int) -> None:
        """All that was received up to then has been evaluated."""
        while self._waiting and self._waiting[0][1] <= receipt:
            self._waiting.popleft()

    def seconds_until_due(self, time: float) -> float | None:
        """None: nothing waits, or the clock stands."""
        if not self._waiting or self._since is None:
            return None
        return max(0.0, self.window - (self._read(time) - self._waiting[0][0]))

    def _read(self, time: float) -> float:
        return self._ran if self._since is None else self._ran + (time - self._since)
