"""What several ask for is made once, and nobody bears another's refusal or queue."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from thc_graph.errors import QueueFull
from thc_graph.instance.reading import PAGES, Published
from thc_graph.instance.service import open_service
from thc_graph.instance.settings import read_settings
from thc_graph.store.engine.lanes import asked_by, asking
from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.anyio
NAME = b"0123456789abcdef"


@pytest.fixture
async def reading(bare: Repository) -> AsyncIterator[Published]:
    service = open_service(read_settings(bare.root))
    await service.start()
    yield service.published
    await service.stop()


async def made() -> bytes:
    return b"made"


async def test_a_refusal_is_of_who_was_refused(reading: Published) -> None:
    begun, full = asyncio.Event(), asyncio.Event()

    async def refused() -> bytes:
        begun.set()
        await full.wait()
        raise QueueFull(1)

    first = asyncio.create_task(reading.answer(NAME, refused))
    await begun.wait()
    other = asyncio.create_task(reading.answer(NAME, made))
    await asyncio.sleep(0)
    full.set()
    assert await other == b"made"
    with pytest.raises(QueueFull):
        await first


async def test_nobody_waits_in_the_queue_of_another(reading: Published) -> None:
    """One fills its share with pages in the making; what it waits for, another has at once."""
    free = asyncio.Event()

    async def slow() -> bytes:
        await free.wait()
        return b"slow"

    with asked_by(lambda: "one"):
        making = [asyncio.create_task(reading.page(n, slow)) for n in range(PAGES.share)]
        waiting = asyncio.create_task(reading.page("home", made))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    with asked_by(lambda: "other"):
        assert await asyncio.wait_for(reading.page("home", made), 5) == b"made"
    assert not waiting.done()
    free.set()
    assert await asyncio.gather(*making, waiting) == [b"slow"] * PAGES.share + [b"made"]


async def test_what_everybody_waits_for_is_asked_by_ourselves(reading: Published) -> None:
    async def asker() -> str:
        return asking().name

    with asked_by(lambda: "one"):
        assert await reading.once("asker", asker) == ""
