"""Memory that a command has freed, kept for what it needs next."""

BLOCK = 31 << 20
"""Bytes; glibc learns nothing from blocks of 32 MB or more."""


def keep_freed_memory() -> None:
    """Has glibc keep what is freed, rather than give it back to the system and ask for it again.

    It maps blocks above a threshold one by one, and gives back what is free at the end of its heap above
    twice that; the threshold rises to the largest such block ever freed (mallopt(3), M_MMAP_THRESHOLD). At
    first it is 128 KB, so that each column of a batch comes as new pages, which the system must clear: a
    quarter of the time of `overfly evaluate`. Elsewhere this does nothing.
    """
    bytearray(BLOCK)
