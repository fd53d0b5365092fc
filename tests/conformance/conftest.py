"""A server in conformance mode, and the W3C's suites where they stand."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from serving import free_port, served
from thc_graph.instance.settings import read_settings, write_settings

SHARED = Path(os.environ.get("THC_SHARED", Path(__file__).parents[3] / "shared"))
MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
ROOM = 1 << 30  # bytes


@dataclass(frozen=True)
class Instance:
    """A running instance: its two doors, and a token for the second."""

    public: str
    editors: str
    token: str


@pytest.fixture(scope="session")
def runners() -> Path:
    folder = SHARED / "runners"
    if not folder.is_dir():
        pytest.skip(f"the W3C's suites and their runners are not in {SHARED}")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: a thousand publications wait for no disk."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
        with TemporaryDirectory(dir=MEMORY) as made:
            yield Path(made)
    else:
        yield tmp_path_factory.mktemp("conformance")


@pytest.fixture(scope="module")
def instance(folder: Path) -> Iterator[Instance]:
    with conforming(folder / "one") as found:
        yield found


@pytest.fixture
def second(folder: Path) -> Iterator[Instance]:
    with conforming(folder / "two") as found:
        yield found


@contextmanager
def conforming(store: Path) -> Iterator[Instance]:
    """Serve a new store in conformance mode."""
    _run("--store", str(store), "init", "--conformance")
    token = _run("--store", str(store), "token", "create", "W3C", "--role", "admin").strip()
    ports = [free_port(), free_port()]
    base = f"http://127.0.0.1:{ports[0]}"  # which its description names
    settings = read_settings(store)
    write_settings(replace(settings, base=base))
    with served(store, "--editors", str(ports[1]), port=ports[0]) as public:
        yield Instance(public, f"http://127.0.0.1:{ports[1]}", token)


def _run(*arguments: str) -> str:
    program = Path(sys.executable).with_name("thc-graph")
    command = [str(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
