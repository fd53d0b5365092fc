"""Real children: what harms one query harms no other, and none is left behind."""

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, Quad, Store

from thc_graph.errors import (
    QueryError,
    QueryFailed,
    QueryOutOfMemory,
    QueryTimeout,
    QueueFull,
    StoreError,
)
from thc_graph.store.engine.engine import Engine, Lane, Query
from thc_graph.store.engine.lanes import Client, LaneState, Room
from thc_graph.store.engine.pool import MEBIBYTE, Pool

pytestmark = pytest.mark.long

CSV = ("text/csv",)
TRIPLES = 2000
LONG = 60.0


def query(text: str, seconds: float = LONG) -> Query:
    return Query(text, CSV, seconds)


SMALL = query("SELECT ?o { <http://e/1> ?p ?o }")
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
HUNGRY = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f ?i"
BOMB = "SELECT (" + "(" * 1_000_000 + "1" + ")" * 1_000_000 + " AS ?x) {}"


def make_snapshot(folder: Path, value: str) -> Path:
    store = Store(folder / f"store-{value}")
    predicate = NamedNode("http://e/p")
    store.extend(
        Quad(NamedNode(f"http://e/{n}"), predicate, Literal(value)) for n in range(TRIPLES)
    )
    store.backup(folder / f"snapshot-{value}")
    return folder / f"snapshot-{value}"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_snapshot(tmp_path_factory.mktemp("pool"), "old")


@asynccontextmanager
async def opened(snapshot: Path, workers: int = 1, **options: Any) -> AsyncIterator[Pool]:
    pool = Pool(snapshot, workers, **options)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


async def read(pool: Engine, asked: Query, lane: Lane = "public") -> bytes:
    return await (await pool.answer(asked, lane)).read()


async def fault(work: Awaitable[object]) -> BaseException | None:
    return (await asyncio.gather(work, return_exceptions=True))[0]  # type: ignore[return-value]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not true():  # noqa: ASYNC110 - a process tells no event
            await asyncio.sleep(0.01)


def public(pool: Pool) -> LaneState:
    return pool.state().lanes["public"]


def children() -> set[int]:
    """Return the query processes of this one, zombies included.

    A test before may have left multiprocessing's own: it follows a process to its end.
    """
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            is_other = b"multiprocessing" in stat.with_name("cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and not is_other:
            found.add(int(stat.parent.name))
    return found


def resident(pid: int) -> int:
    """Return the bytes of memory a process holds, none where it has ended."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def test_a_query_that_kills_its_child_harms_no_other(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot) as pool:
            bomb = await fault(pool.answer(query(BOMB)))
            assert isinstance(bomb, QueryFailed)
            assert bomb.reason == "crash"
            assert await read(pool, SMALL) == b"o\r\nold\r\n"
            assert (public(pool).crashed, public(pool).answered) == (1, 1)

    asyncio.run(run())


def test_a_query_that_wants_all_memory_ends_alone(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot, memory=400 * MEBIBYTE) as pool:
            hungry = asyncio.create_task(fault(pool.answer(query(HUNGRY))))
            assert await read(pool, SMALL, "pages") == b"o\r\nold\r\n"
            most = 0
            while not hungry.done():
                most = max(most, *map(resident, children()))
                await asyncio.sleep(0.01)
            assert most < 500 * MEBIBYTE
            ended = await hungry
            assert isinstance(ended, QueryOutOfMemory)
            assert ended.memory == 400 * MEBIBYTE
            assert await read(pool, SMALL) == b"o\r\nold\r\n"

    asyncio.run(run())


def test_a_runaway_query_ends_at_its_limit_while_others_are_answered(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot, workers=2) as pool:
            runaway = asyncio.create_task(fault(pool.answer(query(RUNAWAY, 2))))
            await until(lambda: public(pool).busy == 1)
            answered = 0
            while not runaway.done():
                assert await read(pool, SMALL) == b"o\r\nold\r\n"
                answered += 1
            ended = runaway.result()
            assert isinstance(ended, QueryTimeout)
            assert ended.seconds == 2
            assert answered > 20
            assert public(pool).stopped == 1

    asyncio.run(run())


def test_visitors_never_delay_pages(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot) as pool:
            visitors = [asyncio.create_task(fault(pool.answer(query(RUNAWAY)))) for _ in range(5)]
            await until(lambda: public(pool).waiting == 4)
            for _ in range(20):
                await read(pool, SMALL, "pages")
            assert not any(visitor.done() for visitor in visitors)
            for visitor in visitors:
                visitor.cancel()
            await asyncio.gather(*visitors, return_exceptions=True)

    asyncio.run(run())


def test_a_hang_up_kills_the_query(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot) as pool:
            before = children()
            visitor = asyncio.create_task(pool.answer(query(RUNAWAY)))
            await until(lambda: public(pool).busy == 1)
            visitor.cancel()
            assert isinstance(await fault(visitor), asyncio.CancelledError)
            await until(lambda: len(before - children()) == 1)
            assert await read(pool, SMALL) == b"o\r\nold\r\n"
            assert (public(pool).left, public(pool).busy) == (1, 0)

    asyncio.run(run())


def test_a_full_queue_refuses_at_once_and_a_short_patience_later(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot, lanes={"public": Room(workers=1, waiting=1)}) as pool:
            first = asyncio.create_task(fault(pool.answer(query(RUNAWAY))))
            await until(lambda: public(pool).busy == 1)
            second = asyncio.create_task(fault(pool.answer(query(RUNAWAY, 0.5))))
            await until(lambda: public(pool).waiting == 1)
            refused = await fault(pool.answer(SMALL))
            assert isinstance(refused, QueueFull)
            assert refused.retry_after >= 1
            assert not second.done()
            assert isinstance(await second, QueueFull)
            assert public(pool).refused == 2
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            assert await read(pool, SMALL) == b"o\r\nold\r\n"

    asyncio.run(run())


def test_one_client_s_runaways_leave_room_for_another(snapshot: Path) -> None:
    spent: list[float] = []
    greedy = Client("greedy", spent.append)

    async def run() -> None:
        async with opened(snapshot, workers=2) as pool:
            runaways = [
                asyncio.create_task(fault(pool.answer(query(RUNAWAY), client=greedy)))
                for _ in range(5)
            ]
            await until(lambda: public(pool).waiting == 4)
            for _ in range(20):
                await pool.answer(SMALL, client=Client("other"))
            assert not spent
            for runaway in runaways:
                runaway.cancel()
            await asyncio.gather(*runaways, return_exceptions=True)

    asyncio.run(run())
    assert len(spent) == 1  # those that only waited are charged nothing


def test_visitors_stand_back_for_pages(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot):
            niceness = sorted(os.getpriority(os.PRIO_PROCESS, child) for child in children())
        own = os.nice(0)
        assert niceness == [own, min(19, own + 10)]

    asyncio.run(run())


def test_an_idle_child_that_dies_is_replaced(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot) as pool:
            before = children()
            for child in before:
                os.kill(child, signal.SIGKILL)
            await until(lambda: not before & children())
            await asyncio.sleep(0.2)
            assert await read(pool, SMALL) == b"o\r\nold\r\n"
            assert await read(pool, SMALL, "pages") == b"o\r\nold\r\n"

    asyncio.run(run())


def test_a_new_snapshot_drops_no_query_in_flight_and_ends_no_child(
    snapshot: Path, tmp_path: Path
) -> None:
    new = make_snapshot(tmp_path, "new")
    slow = query("SELECT (SAMPLE(?c) AS ?o) { ?a ?b ?c . ?d ?e ?f }")

    async def run() -> None:
        async with opened(snapshot, workers=2) as pool:
            own, former, later = children(), pool.at(snapshot), pool.at(new)
            before = asyncio.create_task(read(former, slow))
            await until(lambda: public(pool).busy == 1)
            await later.start()
            assert not before.done()
            for engine, value in ((later, b"new"), (former, b"old"), (pool, b"new")) * 10:
                assert await read(engine, SMALL) == b"o\r\n" + value + b"\r\n"
            assert await before == b"o\r\nold\r\n"
            await until(lambda: public(pool).idle == 2)
            assert children() == own
            assert later.state().snapshot == pool.state().snapshot == new

    asyncio.run(run())


def test_a_pool_is_ready_while_it_opens_a_snapshot(snapshot: Path, tmp_path: Path) -> None:
    paths = [snapshot, make_snapshot(tmp_path, "new")] * 5

    async def run() -> None:
        async with opened(snapshot) as pool:
            for path in paths:
                later = pool.at(path)
                opening = asyncio.create_task(later.start())
                while not opening.done():
                    await asyncio.sleep(0)
                    assert pool.state().ready
                await opening
                await later.stop()

    asyncio.run(run())


def test_a_snapshot_is_tried_though_every_child_is_at_work(snapshot: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(snapshot) as pool:
            runaway = asyncio.create_task(fault(pool.answer(query(RUNAWAY, 0.5), "pages")))
            await until(lambda: pool.state().lanes["pages"].busy == 1)
            assert isinstance(await fault(pool.at(tmp_path / "nothing").start()), StoreError)
            assert runaway.done()
            assert pool.state().snapshot == snapshot

    asyncio.run(run())


def test_a_snapshot_that_nobody_reads_is_closed(snapshot: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(snapshot, workers=2) as pool:
            formers = [pool.at(make_snapshot(tmp_path, f"{n}")) for n in range(3)]
            for each in formers:
                await each.start()
            assert all(opens(child, tmp_path) for child in children())
            for each in formers:
                await each.stop()
            await until(lambda: not any(opens(child, tmp_path) for child in children()))
            assert await read(pool.at(snapshot), SMALL) == b"o\r\nold\r\n"

    asyncio.run(run())


def opens(process: int, folder: Path) -> bool:
    handles = Path(f"/proc/{process}/fd").iterdir()
    return any(str(each.readlink()).startswith(str(folder)) for each in handles)


@pytest.mark.parametrize("turns", [20, pytest.param(134, marks=pytest.mark.all)])
def test_memory_is_bound_over_many_snapshots(snapshot: Path, tmp_path: Path, turns: int) -> None:
    paths = [snapshot, make_snapshot(tmp_path, "1"), make_snapshot(tmp_path, "2")]

    async def run() -> None:
        async with opened(snapshot, memory=400 * MEBIBYTE) as pool:
            own, held = children(), pool.at(snapshot)
            sizes = []
            for path in paths * turns:
                former, held = held, pool.at(path)
                await held.start()
                await former.stop()
                await read(held, query("SELECT ?o { ?s ?p ?o } ORDER BY ?o ?s"))
                sizes.append(sum(map(resident, children())))
            assert children() == own
            assert max(sizes) < sizes[len(paths) * 5] + 16 * MEBIBYTE
            assert isinstance(await fault(pool.answer(query(HUNGRY))), QueryOutOfMemory)

    asyncio.run(run())


def test_a_child_that_came_to_hold_much_is_started_anew(snapshot: Path, tmp_path: Path) -> None:
    large = query(
        "SELECT (COUNT(DISTINCT *) AS ?n) { { SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 400000 } }"
    )

    async def run() -> None:
        async with opened(snapshot, memory=600 * MEBIBYTE) as pool:
            before = children()
            await read(pool, large)
            await pool.at(make_snapshot(tmp_path, "new")).start()
            await until(lambda: len(before & children()) == 1)
            assert await read(pool, SMALL) == b"o\r\nnew\r\n"

    asyncio.run(run())


def test_a_snapshot_that_cannot_be_opened_leaves_all_as_it_was(
    snapshot: Path, tmp_path: Path
) -> None:
    async def run() -> None:
        async with opened(snapshot) as pool:
            own = children()
            assert isinstance(await fault(pool.at(tmp_path / "nothing").start()), StoreError)
            assert pool.state().snapshot == snapshot
            assert await read(pool, SMALL) == b"o\r\nold\r\n"
            asked = await fault(pool.at(tmp_path / "nothing").answer(SMALL))
            assert isinstance(asked, QueryFailed)
            assert children() == own

    asyncio.run(run())


def test_a_child_that_cannot_be_replaced_is_tried_again(tmp_path: Path) -> None:
    own = make_snapshot(tmp_path, "own")

    async def run() -> None:
        async with opened(own) as pool:
            own.rename(tmp_path / "aside")
            await fault(pool.answer(query(BOMB)))
            assert isinstance(await fault(pool.answer(query(SMALL.text, 0.5))), QueueFull)
            assert not pool.state().ready
            (tmp_path / "aside").rename(own)
            assert await read(pool, SMALL) == b"o\r\nown\r\n"
            assert pool.state().ready

    asyncio.run(run())


def test_no_child_is_left_after_stop(snapshot: Path) -> None:
    async def run() -> None:
        pool = Pool(snapshot, 2)
        await pool.start()
        assert len(children()) == 4
        running = asyncio.create_task(fault(pool.answer(query(RUNAWAY))))
        await until(lambda: public(pool).busy == 1)
        await pool.stop()
        assert isinstance(await running, QueryFailed)
        assert children() == set()
        assert not pool.state().ready

    asyncio.run(run())


def test_children_die_with_their_parent(snapshot: Path) -> None:
    program = (
        "import asyncio, os, pathlib, signal, sys\n"
        "from thc_graph.store.engine.pool import Pool\n"
        "async def run():\n"
        "    pool = Pool(pathlib.Path(sys.argv[1]), 1)\n"
        "    await pool.start()\n"
        "    print(*(c.process.pid for c in pool._children), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(run())\n"
    )

    async def run() -> None:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(snapshot), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await parent.communicate()
        orphans = [Path(f"/proc/{int(pid)}") for pid in output.split()]
        assert len(orphans) == 2
        await until(lambda: not any(running(orphan) for orphan in orphans))

    asyncio.run(run())


def running(process: Path) -> bool:
    """Say whether a process lives; a zombie that waits for its reaper does not."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_group_does_not_end_a_query(snapshot: Path, name: signal.Signals) -> None:
    async def run() -> None:
        async with opened(snapshot) as pool:
            for child in children():
                os.kill(child, name)
            assert await read(pool, SMALL) == b"o\r\nold\r\n"
            assert public(pool).crashed == 0

    asyncio.run(run())


def test_no_connection_leaves_a_child(snapshot: Path) -> None:
    async def run() -> None:
        calls: list[object] = []
        server = await asyncio.start_server(lambda *streams: calls.append(streams), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            await until(lambda: len(calls) == 1)
        async with opened(snapshot) as pool:
            if not pool.state().network_cut:
                pytest.skip("this machine allows no user namespace")
            call = query(f"SELECT * {{ SERVICE <http://127.0.0.1:{port}/> {{ ?s ?p ?o }} }}")
            assert isinstance(await fault(pool.answer(call)), QueryFailed)
        assert len(calls) == 1
        for streams in calls:
            streams[1].close()  # type: ignore[index]
        server.close()
        await server.wait_closed()

    asyncio.run(run())


def test_many_clients_at_once_each_get_their_own_answer(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot, workers=2) as pool:
            asked = [query(f"SELECT ({n} AS ?n) {{}}") for n in range(200)]
            found = await asyncio.gather(*(read(pool, one, "pages") for one in asked))
            assert found == [f"n\r\n{n}\r\n".encode() for n in range(200)]
            assert pool.state().lanes["pages"].answered == 200

    asyncio.run(run())


def test_hang_ups_at_any_moment_leave_the_pool_whole(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot, workers=2) as pool:
            for step in range(40):
                visitors = [asyncio.create_task(pool.answer(SMALL)) for _ in range(6)]
                await asyncio.sleep(step / 20_000)
                for visitor in visitors[::2]:
                    visitor.cancel()
                ends = await asyncio.gather(*visitors, return_exceptions=True)
                assert not any(isinstance(end, QueryError) for end in ends)
            await until(lambda: public(pool).idle == 2)
            assert (public(pool).busy, public(pool).waiting) == (0, 0)

    asyncio.run(run())


def test_a_large_answer_is_cut_and_told(snapshot: Path) -> None:
    async def run() -> None:
        async with opened(snapshot, max_bytes=64 * 1024) as pool:
            answer = await pool.answer(query("SELECT * { ?s ?p ?o . ?a ?b ?c }"))
            body = await answer.read()
            assert answer.truncated
            assert len(body) <= 64 * 1024
            assert body.endswith(b"\r\n")

    asyncio.run(run())
