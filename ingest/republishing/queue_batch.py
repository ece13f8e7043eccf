"""Queue messages received together, and what has become of each."""

from collections.abc import Callable, Sequence

from ingest.republishing.bodies import Undeliverable
from ingest.republishing.courier import Consignment
from ingest.republishing.dead_letters import DeadLetter, DeadLetterQueue
from ingest.republishing.shard_arrays import packed_bodies


class QueueBatch:
    """`ids`, `groups` (None on a standard queue) and `bodies` of the messages, in the order of receipt.

    `consignment` is what is published for them: arrays, or `singly` each position by itself.
    """

    def __init__(
        self,
        ids: Sequence[str],
        groups: Sequence[str | None],
        bodies: Sequence[str],
        *,
        singly: bool = False,
    ) -> None:
        packed = packed_bodies(bodies, singly=singly)
        self._ids, self._groups = ids, groups
        self._unsent: list[tuple[tuple[int, ...], DeadLetter]] = []
        self._lettered = 0  # of the undeliverable, those that have a letter
        self.consignment = Consignment(packed.publications, len(bodies))
        self.consignment.undeliverable += [((source,), why) for source, why in packed.undeliverable]

    def put_aside(
        self, queue: DeadLetterQueue | None, has_time: Callable[[], bool] = lambda: True
    ) -> list[DeadLetter]:
        """Sends what cannot be delivered to the dead-letter queue, while there is time; what that took.
        The messages of others are not done.
        """
        new = self._without_letter()
        self._lettered += len(new)
        for sources, why in new:
            ids = tuple(self._ids[source] for source in sources)
            self._unsent.append((sources, DeadLetter(why, ids, self._groups[sources[0]])))
        letters = [letter for _, letter in self._unsent]
        if not letters or queue is None:
            return []
        taken = len(letters) - len(queue.unsent(letters, has_time))
        self._unsent = self._unsent[taken:]
        return letters[:taken]

    @property
    def has_unsent(self) -> bool:
        """Whether something is still to be put aside."""
        return bool(self._unsent or self._without_letter())

    def done(self) -> list[bool]:
        """Of each message, whether it may be deleted: all made of it is delivered or put aside. On a FIFO
        queue one that is not done keeps back all after it of its group.
        """
        settled = [self.consignment.settled(source) for source in range(len(self._ids))]
        # looked at after that: what is settled has been among the undeliverable before
        unsent = [sources for sources, _ in [*self._unsent, *self._without_letter()]]
        waiting = {source for sources in unsent for source in sources}
        stopped: set[str] = set()
        done = []
        for source, group in enumerate(self._groups):
            ready = settled[source] and source not in waiting
            if group is not None and not ready:
                stopped.add(group)
            done.append(ready and group not in stopped)
        return done

    def _without_letter(self) -> list[tuple[tuple[int, ...], Undeliverable]]:
        return self.consignment.undeliverable[self._lettered :]
