"""Builds indexes of geofences aside, in a thread for which a process that ends does not wait long."""

import atexit
import threading
from concurrent.futures import Future

import structlog

from geofence.index.geofence_index import Build, Bulk

log = structlog.get_logger("overfly")


class ProcessEnds(Exception):
    """A build is given up."""


def in_a_daemon_thread(build: Build) -> "Future[Bulk]":
    """Builds in a thread of its own, one after the other; the future holds what is built, or the failure."""
    coming: Future[Bulk] = Future()
    thread = threading.Thread(target=_run, args=(build, coming), name="geofence index", daemon=True)
    try:
        thread.start()
    except RuntimeError as failure:  # there are too many threads
        coming.set_exception(failure)
    return coming


def _run(build: Build, coming: "Future[Bulk]") -> None:
    with _one_at_a_time:
        try:
            coming.set_result(build(_give_up_at_the_end))
        except ProcessEnds as end:
            coming.set_exception(end)
        except BaseException as failure:  # the old index serves on, and further changes lead to another try
            log.exception("geofences.index_not_built")
            coming.set_exception(failure)


def _give_up_at_the_end() -> None:
    if _end.is_set():
        raise ProcessEnds


def _no_more_builds() -> None:
    """GEOS must not be at work when the interpreter takes itself apart: that is a segmentation fault."""
    _end.set()
    _one_at_a_time.acquire()  # for good: builds that still wait are never begun


_end = threading.Event()
_one_at_a_time = threading.Lock()  # a build takes memory
atexit.register(_no_more_builds)
