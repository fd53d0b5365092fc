"""A lane shares its places: one client's queries wait for one another, not others for them."""

import asyncio
import random
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from thc_graph.errors import QueryTimeout, QueueFull
from thc_graph.store.engine.lanes import Client, LaneRoom, Room

SOON, LATE = 0.05, 60.0
CANCELLED = asyncio.CancelledError


def within(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Visitors:
    """Queries of named clients that hold a place until they are let go."""

    def __init__(self, workers: int, waiting: int) -> None:
        self.room = LaneRoom[int](Room(workers, waiting))
        self.inside: list[str] = []
        self.out = asyncio.Event()
        self.tasks: list[asyncio.Task[Any]] = []

    def come(self, client: str, seconds: float = LATE) -> asyncio.Task[Any]:
        self.tasks.append(asyncio.create_task(self._visit(client, seconds)))
        return self.tasks[-1]

    async def _visit(self, client: str, seconds: float) -> None:
        async with self.room.place(within(seconds), client):
            with self.room.counting(Client(client)):
                self.inside.append(client)
                await self.out.wait()

    async def leave(self) -> list[BaseException | None]:
        self.out.set()
        return await asyncio.gather(*self.tasks, return_exceptions=True)


def test_one_client_leaves_a_place_for_another() -> None:
    async def run() -> None:
        visitors = Visitors(workers=2, waiting=16)
        for _ in range(5):
            visitors.come("greedy")
        await settle()
        assert visitors.inside == ["greedy"]
        visitors.come("other")
        await settle()
        assert visitors.inside == ["greedy", "other"]
        await visitors.leave()
        assert Counter(visitors.inside) == {"greedy": 5, "other": 1}

    asyncio.run(run())


def test_one_client_fills_half_of_the_queue_at_most() -> None:
    async def run() -> None:
        visitors = Visitors(workers=2, waiting=4)
        turned = [visitors.come("greedy") for _ in range(5)]
        await settle()
        refused = [task for task in turned if task.done()]
        assert [type(task.exception()) for task in refused] == [QueueFull, QueueFull]
        assert visitors.room.state().waiting == 2
        visitors.come("other")
        await settle()
        assert "other" in visitors.inside
        await visitors.leave()

    asyncio.run(run())


def test_a_lane_of_one_serves_all_in_turn() -> None:
    async def run() -> None:
        visitors = Visitors(workers=1, waiting=16)
        for name in ("a", "a", "b", "a", "c"):
            visitors.come(name)
        await visitors.leave()
        assert visitors.inside == ["a", "a", "b", "a", "c"]

    asyncio.run(run())


def test_our_own_queries_have_no_share() -> None:
    async def run() -> None:
        visitors = Visitors(workers=3, waiting=16)
        for _ in range(3):
            visitors.come("")
        await settle()
        assert len(visitors.inside) == 3
        await visitors.leave()

    asyncio.run(run())


def test_patience_ends_in_the_queue() -> None:
    async def run() -> None:
        visitors = Visitors(workers=1, waiting=1)
        visitors.come("a")
        with pytest.raises(QueueFull) as refusal:
            await visitors.come("b", SOON)
        assert refusal.value.retry_after >= 1
        await visitors.leave()

    asyncio.run(run())


def test_one_who_gives_up_in_the_moment_of_its_turn_loses_no_place() -> None:
    async def run() -> None:
        visitors = Visitors(workers=1, waiting=4)
        visitors.come("a")
        await settle()
        impatient, patient = visitors.come("b"), visitors.come("c")
        await settle()
        impatient.cancel()
        visitors.out.set()  # the place is free before the one who gave up has heard of it
        await patient
        assert [type(each) for each in await visitors.leave()][:2] == [type(None), CANCELLED]
        assert visitors.inside == ["a", "c"]

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(5))
def test_whoever_leaves_whenever_no_place_is_lost(seed: int) -> None:
    async def run() -> None:
        chance = random.Random(seed)
        visitors = Visitors(workers=3, waiting=100)
        for _ in range(60):
            visitors.come(chance.choice("abcd"), chance.choice((0, SOON, LATE)))
            for task in visitors.tasks:
                if chance.random() < 0.1:
                    task.cancel()
            await asyncio.sleep(0)
        ended = await visitors.leave()
        assert {type(each) for each in ended} <= {QueueFull, asyncio.CancelledError, type(None)}
        last = [visitors.come("") for _ in range(3)]
        await asyncio.gather(*last)
        assert visitors.room.state().waiting == 0

    asyncio.run(run())


def test_only_evaluation_is_spent() -> None:
    spent: list[float] = []

    async def run() -> None:
        room = LaneRoom[int](Room(1, 4))
        client = Client("a", spent.append)
        async with room.place(within(LATE), client.name):
            await asyncio.sleep(0.2)
            with room.counting(client):
                pass
            with suppress(QueryTimeout), room.counting(client):
                await asyncio.sleep(0.1)
                raise QueryTimeout(1)

    asyncio.run(run())
    assert spent[0] < 0.1 <= spent[1]
