"""One client floods a server with each kind of page; another one hardly feels it.

A flood is thirty connections of one address that ask for what nobody asked before. Run as
a program, this file is a flood: `test_fairness.py ADDRESS SOURCE KIND SECONDS`.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from serving import running
from thc_graph.instance.settings import read_settings
from thc_graph.store.writes.repository import Repository

pytestmark = [
    pytest.mark.all,
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are read in /proc"),
]

AT_ONCE = 30
SECONDS = 6.0  # of a flood
GRACE = 0.05  # seconds of noise in a median: this machine runs the flood as well
MEBIBYTE = 1 << 20

QUERIES = (
    "?q={n}",
    "?tri=population&q={w}",
    "?page=2&q={w}",
    "?departement=departement%2F{d}&q={w}",
)
DEPARTEMENTS = ("68", "26", "33", "38", "75", "35", "69", "2A", "44", "59", "13")
FLOODS: dict[str, tuple[str, ...]] = {
    "pages": ("/doc/commune/{c}", "/doc/departement/{d}?source=1&lang=en", "/doc/region/{r}"),
    "turtle": ("/doc/region/{r}.ttl", "/doc/departement/{d}.rdf", "/doc/departement/{d}.nt"),
    "lists": tuple(f"/commune{each}" for each in QUERIES),
    "exports": tuple(
        f"/commune.{suffix}?q={{w}}" for suffix in ("csv", "ttl", "xlsx", "atom", "geojson", "ods")
    ),
    "search": ("/recherche?q={w}&dans=commune", "/recherche.json?q={w}{n}", "/recherche?q={w}+{n}"),
    "dashboards": ("/tableau-de-bord?depuis={y}", "/tableau-de-bord/echeances.svg?depuis={y}"),
    "history": ("/doc/commune/{c}/historique", "/doc/departement/{d}/historique"),
    "maps": (
        "/carte?nature=engagement",
        "/carte.xlsx?nature=evenement",
        "/agenda?page={n}",
    ),
}


def addresses(kind: str, codes: list[str]) -> Iterator[str]:
    """Yield addresses of a kind, hardly one of them twice."""
    for n in count():
        template = FLOODS[kind][n % len(FLOODS[kind])]
        words = ("a", "m", "sa", "b", "l", "ma", "p", "vi", "c", "mo")
        yield template.format(
            n=n,
            w=quote(words[n // 7 % len(words)] + " " * (n % 3)),
            c=codes[n % len(codes)],
            d=DEPARTEMENTS[n % len(DEPARTEMENTS)],
            r=("44", "84", "75", "11", "53", "94", "52", "32", "93")[n % 9],
            y=f"20{n % 20 + 10}-{n % 12 + 1:02}-{n % 28 + 1:02}",
        )


def communes(address: str) -> list[str]:
    text = httpx.get(f"{address}/commune.csv", timeout=60).text
    return [line.partition(",")[0].rpartition("/")[2] for line in text.splitlines()[1:]]


async def flood(address: str, source: str, kind: str, seconds: float) -> None:
    place, asked = urlsplit(address), addresses(kind, communes(address)[::2])

    async def ask() -> None:
        while True:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection(
                    place.hostname, place.port, local_addr=(source, 0)
                )
                head = f"GET {next(asked)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                writer.write(head.encode())
                while await reader.read(1 << 16):
                    pass
                writer.close()

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(ask() for _ in range(AT_ONCE)))


def flooding(address: str, source: str, kind: str, seconds: float) -> "subprocess.Popen[bytes]":
    command = [sys.executable, __file__, address, source, kind, str(seconds)]
    path = {"PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(command, env=os.environ | path)


def look(client: httpx.Client, codes: Iterator[str], goes_on: Callable[[int], bool]) -> list[float]:
    """Ask for light pages that nobody asked for before; return what each took."""
    took: list[float] = []
    while goes_on(len(took)):
        start = time.perf_counter()
        answer = client.get(f"/doc/commune/{next(codes)}.ttl")
        took.append(time.perf_counter() - start)
        assert answer.status_code == 200
        time.sleep(0.02)
    return took


def processes(pid: int) -> list[int]:
    """Return a process and its children."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def resident(pid: int) -> int:
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))
    return 0


def used(pid: int) -> float:
    """Return the seconds of processor that a server and its children have used."""
    ticks = 0
    for each in processes(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / 100


@pytest.fixture(scope="module")
def server(demo: Repository, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    del tmp_path_factory
    assert read_settings(demo.root).workers == 2
    with running(demo.root) as found:
        yield found


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_is_hardly_felt(server: tuple[int, str], kind: str) -> None:
    pid, address = server
    codes = iter(communes(address)[1::2][list(FLOODS).index(kind) * 150 :])
    transport = httpx.HTTPTransport(local_address="127.0.2.1")
    with httpx.Client(base_url=address, transport=transport, timeout=60) as client:
        before = look(client, codes, lambda done: done < 30)
        flooded = flooding(address, f"127.0.3.{list(FLOODS).index(kind) + 1}", kind, SECONDS)
        time.sleep(2)  # for it to begin
        meanwhile = look(client, codes, lambda _: flooded.poll() is None)
        time.sleep(1.5)  # those of the flood hung up
        spent = used(pid)
        time.sleep(1)
        spent = used(pid) - spent
        after = look(client, codes, lambda done: done < 30)
    idle = max(map(statistics.median, (before, after)))  # others may have begun meanwhile
    felt, worst = statistics.median(meanwhile), max(meanwhile)
    told = f"{kind}: idle {idle * 1000:.1f} ms, flooded {felt * 1000:.1f}, worst {worst * 1000:.0f}"
    sys.stdout.write(f"{told}; {len(meanwhile)} pages; {spent:.2f} s used after\n")
    assert flooded.returncode == 0
    assert len(meanwhile) > 10
    assert felt < 2 * idle + GRACE
    assert spent < 0.5  # nobody listens: nobody works


def test_sixty_exports_take_the_memory_of_two(server: tuple[int, str]) -> None:
    pid, address = server
    before = resident(pid)
    flooded = flooding(address, "127.0.4.1", "exports", SECONDS)
    others = flooding(address, "127.0.4.2", "exports", SECONDS)
    own = whole = 0
    while flooded.poll() is None or others.poll() is None:
        own = max(own, resident(pid))
        whole = max(whole, sum(map(resident, processes(pid))))
        time.sleep(0.05)
    assert flooded.returncode == others.returncode == 0
    told = f"{(own - before) >> 20} MiB more in the server, {whole >> 20} MiB in all"
    sys.stdout.write(f"{told}, {(resident(pid) - before) >> 20} MiB kept\n")
    assert own - before < 150 * MEBIBYTE
    assert whole < 1300 * MEBIBYTE
    assert resident(pid) - before < 100 * MEBIBYTE


if __name__ == "__main__":
    asyncio.run(flood(*sys.argv[1:4], float(sys.argv[4])))
