"""Positions that many callers send at once: what comes while a commit goes on is the next commit.

So each caller waits for one commit, and what a commit costs is shared by all that wait for it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.concurrency import run_in_threadpool

from ingest.decoding.rejects import Reject
from service.location.updates import Updates, stored_updates
from service.tracker import Tracker

AT_ONCE: Final = 5_000
"""Positions of a commit, or those of the one caller who has more."""


class Post(NamedTuple):
    """What one caller posts, and where he is told what was refused of it."""

    tracker: Tracker
    tracker_name: str
    updates: Updates
    refused: asyncio.Future[Sequence[Reject]]


class GatheredPosts:
    """For one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Post] = deque()
        self._task: asyncio.Task[None] | None = None

    async def post(self, tracker: Tracker, tracker_name: str, updates: Updates) -> Sequence[Reject]:
        """Stores updates; what is refused comes back, `item` being an index into them.

        Raises NotFound, StoreAway.
        """
        refused: asyncio.Future[Sequence[Reject]] = asyncio.get_running_loop().create_future()
        self._waiting.append(Post(tracker, tracker_name, updates, refused))
        if self._task is None:
            self._task = asyncio.create_task(self._commit_all())
        return await refused

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                some = self._taken()
                try:
                    outcomes: Sequence[Sequence[Reject] | Exception]
                    outcomes = await run_in_threadpool(_committed, some)
                except Exception as error:  # whatever it is, it is theirs who wait for it
                    outcomes = [error] * len(some)
                for post, outcome in zip(some, outcomes, strict=True):
                    if post.refused.done():  # the caller has left
                        continue
                    if isinstance(outcome, Exception):
                        post.refused.set_exception(outcome)
                    else:
                        post.refused.set_result(outcome)
        finally:
            self._task = None

    def _taken(self) -> list[Post]:
        """The first that wait, all of one tracker."""
        first = self._waiting.popleft()
        some, count = [first], len(first.updates)
        while self._waiting and self._waiting[0][:2] == first[:2]:
            count += len(self._waiting[0].updates)
            if count > AT_ONCE:
                break
            some.append(self._waiting.popleft())
        return some


def _committed(posts: Sequence[Post]) -> list[Sequence[Reject] | Exception]:
    """Of posts to one tracker. Raises NotFound, StoreAway."""
    first = posts[0]
    posted = stored_updates(first.tracker, first.tracker_name, [post.updates for post in posts])
    refused: list[list[Reject]] = [[] for _ in posts]
    for each in posted.rejects:
        refused[each.message].append(each)
    return [*refused]
