"""The clerk: what crosses to it and back, how it ends, and who waits."""

import asyncio
import inspect
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode

from thc_graph import errors
from thc_graph.errors import (
    EditRefused,
    QueryFailed,
    QueryTimeout,
    QueueFull,
    StoreLocked,
    ThcGraphError,
)
from thc_graph.instance import crossing, writing
from thc_graph.instance.clerk import is_full
from thc_graph.instance.settings import Settings, read_settings
from thc_graph.instance.writing import Writing
from thc_graph.people.tokens import Token
from thc_graph.rdf.terms import SH
from thc_graph.schema.reports import Violation
from thc_graph.schema.shapes import Text
from thc_graph.store.writes import updates
from thc_graph.store.writes.repository import Repository
from thc_graph.store.writes.updates import Written

TOKEN = Token("Ville", "write", "", "")
PATIENCE = 60.0
GRAPH = f"{Settings.base}/graph/essai/acteurs"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


# What crosses


FACTS = {"violations": (), "seconds": 1.5, "facts": [("urn:s", "urn:p")], "found": 2, "known": 1}


def example(kind: type[ThcGraphError]) -> ThcGraphError:
    parameters = inspect.signature(kind.__init__).parameters.values()
    named = [each for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD][1:]
    return kind(*(FACTS.get(each.name, each.name) for each in named))


KINDS = [each for each in vars(errors).values() if inspect.isclass(each)]


@pytest.mark.parametrize("kind", [each for each in KINDS if issubclass(each, ThcGraphError)])
def test_an_error_crosses_with_its_facts(kind: type[ThcGraphError]) -> None:
    error = example(kind)
    crossed = crossing.error_of(_sent(crossing.error_header(error)))
    assert type(crossed) is kind
    assert str(crossed) == str(error)
    assert _sent(vars(crossed)) == _sent(vars(error))


def test_violations_cross_term_by_term() -> None:
    found = Violation(
        focus=NamedNode("https://exemple.fr/id/é"),
        path=NamedNode(LABEL),
        value=Literal('un "mot"\n\\', language="fr"),
        severity=SH["Violation"],
        message=Text("Une commune a un nom.", "A commune has a name."),
        shape=None,
        column=NamedNode("urn:c"),
    )
    refusal = crossing.error_of(_sent(crossing.error_header(EditRefused([found, found]))))
    assert isinstance(refusal, EditRefused)
    assert refusal.violations == (found, found)
    written = Written(None, existed=True, warnings=(found,))
    assert crossing.written_of(_sent(crossing.written_header(written))) == written


def _sent(header: Any) -> Any:
    return json.loads(json.dumps(header))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(28, "x"), True),
        (OSError("IO error: No space left on device: While appending to file"), True),
        (ValueError("An IO error occurred: 'No space left on device (os error 28)'"), True),
        (RuntimeError("database or disk is full"), True),
        (OSError(13, "Permission denied"), False),
        (ValueError("x"), False),
    ],
)
def test_a_full_disk_is_known_by_its_words(error: Exception, *, expected: bool) -> None:
    assert is_full(error) == expected
    wrapped = RuntimeError("x")
    wrapped.__cause__ = error
    assert is_full(wrapped) == expected


# One write after the other


@pytest.fixture
def settings(bare: Repository) -> Settings:
    return replace(read_settings(bare.root), store=bare.root)


@pytest.fixture
async def clerk(settings: Settings) -> AsyncIterator[Writing]:
    async with Writing(settings) as found:
        yield found


def naming(number: int) -> updates.Edit:
    actor = f"<{Settings.base}/id/organisation/o-{number}>"
    said = f'{actor} a <https://w3id.org/thc/ns#Organisation> ; <{LABEL}> "Essai {number}"@fr'
    return updates.update(f"INSERT DATA {{ GRAPH <{GRAPH}> {{ {said} }} }}", f"{Settings.base}/")


async def write(clerk: Writing, number: int) -> Written:
    return await clerk.write(naming(number), TOKEN, "Essai")


async def pid_of(clerk: Writing) -> int:
    assert clerk._clerk is not None
    return (await asyncio.shield(clerk._clerk)).process.pid


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - a process tells no event
            await asyncio.sleep(0.02)


@pytest.mark.anyio
async def test_a_clerk_publishes_and_stays(clerk: Writing, bare: Repository) -> None:
    pid = await pid_of(clerk)
    written = [await write(clerk, number) for number in (1, 2)]
    assert [each.id for each in bare.history.log()][:2] == [
        each.commit and each.commit.id for each in reversed(written)
    ]
    assert await pid_of(clerk) == pid


@pytest.mark.anyio
async def test_a_clerk_that_dies_is_replaced(clerk: Writing, bare: Repository) -> None:
    pid = await pid_of(clerk)
    work = asyncio.ensure_future(write(clerk, 1))
    await until(lambda: bool(list((bare.root / "snapshots").glob(".draft-*"))) or work.done())
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(QueryFailed):
        await work
    assert (await write(clerk, 2)).commit
    assert await pid_of(clerk) != pid


@pytest.mark.anyio
async def test_what_was_recorded_is_published_though_its_clerk_was_killed(
    clerk: Writing, bare: Repository
) -> None:
    """History is the truth: nobody has to write again for it to be served."""
    await write(clerk, 1)
    before = bare.current()
    assert before is not None
    parent = next(bare.history.log()).parent
    assert parent is not None
    (bare.root / "CURRENT").write_text(parent)  # as if it died between the two
    os.kill(await pid_of(clerk), signal.SIGKILL)
    await until(lambda: getattr(bare.current(), "commit", None) == bare.history.head)
    current = bare.current()
    assert current is not None
    assert current.store().query(f'ASK {{ ?o <{LABEL}> "Essai 1"@fr }}')
    assert (await write(clerk, 2)).commit


@pytest.mark.anyio
async def test_a_write_is_stopped_at_its_time(settings: Settings, bare: Repository) -> None:
    short = replace(settings, update_seconds=0.001, publish_seconds=0.001, lock_seconds=0.0)
    async with Writing(short) as clerk:
        pid = await pid_of(clerk)
        with pytest.raises(QueryTimeout):
            await write(clerk, 1)
        assert await pid_of(clerk) != pid
    assert bare.history.head == getattr(bare.current(), "commit", None)


@pytest.mark.anyio
async def test_a_turn_is_waited_for_so_long(settings: Settings) -> None:
    async with Writing(replace(settings, update_seconds=0.01)) as clerk:
        await pid_of(clerk)
        await clerk._turn.acquire()
        with pytest.raises(QueueFull):
            await write(clerk, 1)
        clerk._turn.release()
        assert clerk._waiting == 0


@pytest.mark.anyio
async def test_a_stop_does_not_wait_for_a_long_write(settings: Settings) -> None:
    async with asyncio.timeout(PATIENCE):
        async with Writing(replace(settings, stop_seconds=0.01)) as clerk:
            pid = await pid_of(clerk)
            await clerk._turn.acquire()
    assert not _runs(Path(f"/proc/{pid}/stat"))


@pytest.mark.anyio
@pytest.mark.long
async def test_a_full_queue_refuses_at_once(clerk: Writing) -> None:
    asked = [asyncio.ensure_future(write(clerk, n)) for n in range(writing.WAITING + 1)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in done if isinstance(each, Exception)] == [QueueFull]


@pytest.mark.anyio
async def test_a_write_whose_sender_left_keeps_its_turn(clerk: Writing, bare: Repository) -> None:
    first = asyncio.ensure_future(write(clerk, 1))
    await pid_of(clerk)
    await until(clerk._turn.locked)
    await asyncio.sleep(0.05)
    first.cancel()
    second = await write(clerk, 2)
    assert second.commit is not None
    assert second.commit.parent == next(c.id for c in bare.history.log(second.commit.parent))
    messages = [each.message for each in bare.history.log()]
    assert messages[:2] == ["Essai", "Essai"]


@pytest.mark.anyio
async def test_a_store_held_by_another_is_told(clerk: Writing, bare: Repository) -> None:
    await pid_of(clerk)
    with bare.writing(), pytest.raises(StoreLocked) as told:
        await write(clerk, 1)
    assert told.value.pid == os.getpid()


@pytest.mark.anyio
@pytest.mark.long
async def test_two_doors_on_one_store_both_write(settings: Settings, bare: Repository) -> None:
    """Each waits for the other's publication, and works again upon it."""
    patient = replace(settings, lock_seconds=PATIENCE)
    async with Writing(patient) as one, Writing(patient) as other:
        numbered = [
            (door, 10 * n + place) for n in range(5) for place, door in enumerate((one, other))
        ]
        written = await asyncio.gather(*(write(door, number) for door, number in numbered))
    commits = {each.commit.id for each in written if each.commit}
    assert len(commits) == 10
    assert commits <= {each.id for each in bare.history.log()}
    assert bare.history.head == getattr(bare.current(), "commit", None)


def test_a_clerk_dies_with_its_server(bare: Repository) -> None:
    program = (
        "import asyncio, os, pathlib, signal, sys\n"
        "from thc_graph.instance.settings import read_settings\n"
        "from thc_graph.instance.writing import Writing\n"
        "async def run():\n"
        "    async with Writing(read_settings(pathlib.Path(sys.argv[1]))) as clerk:\n"
        "        print((await clerk._clerk).process.pid, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(run())\n"
    )
    command = [sys.executable, "-c", program, str(bare.root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    orphan = Path(f"/proc/{int(done.stdout)}/stat")
    asyncio.run(until(lambda: not _runs(orphan)))


def _runs(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_clerk_who_leaves_at_once_repairs_the_store(bare: Repository) -> None:
    (bare.root / "CURRENT").unlink()
    assert writing.recover(read_settings(bare.root))
    current = bare.current()
    assert current is not None
    assert current.commit == bare.history.head
    with bare.writing():
        assert not writing.recover(read_settings(bare.root))


def test_a_server_loads_nothing_that_validates() -> None:
    """What is checked is checked by the clerk: pySHACL is half a second, and memory."""
    program = (
        "import sys; import thc_graph.cli.serve, thc_graph.web.app, thc_graph.web.editors_app\n"
        "import thc_graph.instance.writing, thc_graph.web.serving.server\n"
        "import thc_graph.web.serving.ports\n"
        "print(sorted({'pyshacl', 'rdflib', 'calamine'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# Run in a namespace of its own, where a disk of some megabytes can be had.
FULL = """
import asyncio, os, shutil, subprocess, sys
from dataclasses import replace
from pathlib import Path
import test_writing
from thc_graph.errors import StoreFull
from thc_graph.instance.settings import read_settings
from thc_graph.instance.writing import Writing

source, disk = map(Path, sys.argv[1:])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m", "none", str(disk)], check=True)
store = disk / "store"
shutil.copytree(source, store)

async def run():
    async with Writing(replace(read_settings(store), store=store)) as clerk:
        await test_writing.write(clerk, 0)
        for number, left in enumerate(map(int, "4096 40960 409600 2000000".split()), 1):
            room = shutil.disk_usage(disk).free
            with (disk / "filler").open("wb") as filler:
                filler.truncate(0)
                os.posix_fallocate(filler.fileno(), 0, room - left)
            head = (store / "history/HEAD").read_text()
            try:
                await test_writing.write(clerk, number)
                print("written", flush=True)
            except StoreFull as full:
                last = (store / "history/HEAD").read_text()
                assert getattr(full, "what", head) == last, "what is told is what is recorded"
                print("full", flush=True)
            (disk / "filler").unlink()
            written = await test_writing.write(clerk, 10 + number)
            print((store / "CURRENT").read_text() == written.commit.id, flush=True)
asyncio.run(run())
"""
NAMESPACE = ["unshare", "--map-root-user", "--mount"]


def _no_namespace() -> str:
    mount = [*NAMESPACE, "sh", "-c", "mount -t tmpfs none /mnt"]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as fault:
        return str(fault)
    return done.stderr


@pytest.mark.long
@pytest.mark.skipif(bool(_no_namespace()), reason="a disk cannot be mounted here")
def test_a_full_disk_is_told_and_the_next_write_is_whole(bare: Repository, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [*NAMESPACE, sys.executable, "-c", FULL, str(bare.root), str(disk)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[:2] == ["full", "True"]
    assert set(told[::2]) <= {"full", "written"}
    assert set(told[1::2]) == {"True"}
