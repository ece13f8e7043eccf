"""Fair shares: no caller's requests keep those of another waiting; rates and bodies are bounded."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from starlette.datastructures import Headers
from starlette.types import Message

from service.access import request_body
from service.access.fair_share import FairShare, Shares
from service.access.rates import Rates
from service.access.refusals import TooBusy, TooFast, TooManyBytes, TooSlow
from service.access.request_body import Held, once_more, read_whole

NO_HEADERS = Headers({})


def test_one_caller_has_its_share_and_others_go_before_its_other_requests() -> None:
    async def run() -> list[str]:
        share = FairShare(Shares(in_all=4, of_one=2))
        served: list[str] = []
        at_work: Counter[str] = Counter()
        most: Counter[str] = Counter()

        async def request(of: str) -> None:
            async with share.place(of):
                at_work[of] += 1
                most[of] = max(most[of], at_work[of])
                served.append(of)
                await asyncio.sleep(0.005)
                at_work[of] -= 1

        tasks = [asyncio.create_task(request("greedy")) for _ in range(40)]
        await asyncio.sleep(0.001)
        tasks += [asyncio.create_task(request(of)) for of in ("a", "b", "c", "a")]
        await asyncio.gather(*tasks)
        assert max(most.values()) == 2
        return served

    served = asyncio.run(run())
    assert {"a", "b", "c"} <= set(served[:10])
    assert Counter(served) == {"greedy": 40, "a": 2, "b": 1, "c": 1}


def test_who_waits_with_too_many_is_told_and_so_are_all_where_there_are_too_many() -> None:
    async def run() -> None:
        share = FairShare(Shares(in_all=2, of_one=1, waiting_of_one=2, waiting_in_all=3))

        async def request(of: str) -> None:
            async with share.place(of):
                await asyncio.sleep(0.01)

        tasks = [asyncio.create_task(request("a")) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TooFast):
            await request("a")
        tasks += [asyncio.create_task(request("b")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):
            await request("b")
        await asyncio.gather(*tasks)
        await request("a")

    asyncio.run(run())


def test_who_goes_while_waiting_leaves_no_place_taken() -> None:
    async def run() -> None:
        share = FairShare(Shares(in_all=1, of_one=1))

        async def request() -> None:
            async with share.place("a"):
                await asyncio.sleep(0.002)

        for number in range(20):
            tasks = [asyncio.create_task(request()) for _ in range(6)]
            await asyncio.sleep(0.0007 * (number % 5))
            for task in tasks[1::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(1), share.place("b"):
            pass

    asyncio.run(run())


def test_a_rate_lets_a_second_s_worth_through_and_says_when_to_come_again() -> None:
    seconds = [0.0]
    rates = Rates(lambda: seconds[0])
    for _ in range(10):
        rates.take("a", 10)
    with pytest.raises(TooFast) as refused:
        rates.take("a", 10)
    assert refused.value.retry_seconds == pytest.approx(0.1)
    rates.take("b", 10)
    seconds[0] += 0.25
    rates.take("a", 10)
    rates.take("a", 10)
    with pytest.raises(TooFast):
        rates.take("a", 10)
    rates.take("slow", 0.1)
    with pytest.raises(TooFast) as refused:
        rates.take("slow", 0.1)
    assert refused.value.retry_seconds == pytest.approx(10)


def sender(*chunks: bytes, pause: float = 0.0) -> Callable[[], Awaitable[Message]]:
    waiting = list(chunks)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    return receive


def test_a_body_is_read_to_its_limit_and_given_once_more() -> None:
    async def run() -> None:
        with Held().account("a") as account:
            body = await read_whole(sender(b"ab", b"", b"c"), NO_HEADERS, 3, account)
            assert (body, account.held) == (b"abc", 3)
            again = once_more(body, sender(b"next"))
            assert (await again())["body"] == b"abc"
            assert (await again())["body"] == b"next"
            too_long = (NO_HEADERS, (b"ab", b"cd")), (Headers({"content-length": "4"}), (b"",))
            for headers, chunks in too_long:
                with pytest.raises(TooManyBytes, match="at most 0 KiB"):
                    await read_whole(sender(*chunks), headers, 3, account)

    asyncio.run(run())


def test_bodies_held_at_once_are_bounded_and_given_back() -> None:
    async def run() -> None:
        held = Held(in_all=10, of_one=6)
        with held.account("a") as one, held.account("b") as other, held.account("a") as more:
            await read_whole(sender(b"1234"), NO_HEADERS, 9, one)
            with pytest.raises(TooFast):
                await read_whole(sender(b"1234"), NO_HEADERS, 9, more)
            await read_whole(sender(b"123456"), NO_HEADERS, 9, other)
            with held.account("c") as third, pytest.raises(TooBusy):
                await read_whole(sender(b"1"), NO_HEADERS, 9, third)
        with held.account("a") as again:
            await read_whole(sender(b"123456"), NO_HEADERS, 9, again)

    asyncio.run(run())


def test_a_body_that_comes_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "GRACE_SECONDS", 0.05)

    async def run() -> None:
        with Held().account("a") as account, pytest.raises(TooSlow):
            await read_whole(sender(*[b"x"] * 100, pause=0.01), NO_HEADERS, 1000, account)

    asyncio.run(run())
