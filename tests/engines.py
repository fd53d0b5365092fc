"""Real engines for the tests, on loopback: the pool, `oxigraph serve`, Virtuoso."""

import hashlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

START_SECONDS = 30
VIRTUOSO_INI = """
[Database]
DatabaseFile = virtuoso.db
TransactionFile = virtuoso.trx
ErrorLogFile = virtuoso.log
LockFile = virtuoso.lck
xa_persistent_file = virtuoso.pxa
[TempDatabase]
DatabaseFile = temp.db
TransactionFile = temp.trx
[Parameters]
ServerPort = 127.0.0.1:{sql}
ServerThreads = 10
NumberOfBuffers = 4000
MaxDirtyBuffers = 2000
CheckpointInterval = 0
DirsAllowed = .
[HTTPServer]
ServerPort = 127.0.0.1:{http}
ServerThreads = 8
ServerRoot = .
[SPARQL]
ResultSetMaxRows = 1000000
"""


def commit_named(name: str) -> str:
    """Return the id of a commit that never was, as long as any."""
    return hashlib.sha256(name.encode()).hexdigest()


PUBLISHED = commit_named("first")  # by the fixtures of tests/web


@dataclass(frozen=True)
class Endpoint:
    """A running engine; `auth` is for its update address."""

    name: str
    query: str
    update: str
    auth: httpx.Auth | None = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def oxigraph(folder: Path) -> Iterator[Endpoint]:
    program = shutil.which("oxigraph", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("oxigraph, the native server, is not installed (PyPI `oxigraph`)")
    port = free_port()
    argv = [program, "serve", "--location", str(folder / "db"), "--bind", f"127.0.0.1:{port}"]
    address = f"http://127.0.0.1:{port}"
    with _running(argv, folder, f"{address}/"):
        yield Endpoint("oxigraph", f"{address}/query", f"{address}/update")


@contextmanager
def virtuoso(folder: Path) -> Iterator[Endpoint]:
    program = shutil.which("virtuoso-t")
    if program is None:
        pytest.skip("Virtuoso is not installed (Debian `virtuoso-opensource-7-bin`)")
    http = free_port()
    ini = folder / "virtuoso.ini"
    ini.write_text(VIRTUOSO_INI.format(sql=free_port(), http=http))
    address = f"http://127.0.0.1:{http}"
    with _running([program, "+foreground", "+configfile", str(ini)], folder, f"{address}/sparql"):
        auth = httpx.DigestAuth("dba", "dba")  # a new database's own
        yield Endpoint("virtuoso", f"{address}/sparql", f"{address}/sparql-auth", auth)


@contextmanager
def _running(argv: list[str], folder: Path, address: str) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=folder, stdout=log, stderr=log)
        try:
            _wait(process, address, folder / "log")
            yield
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen, address: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(address, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{process.args[0]} did not start: {log.read_text('utf-8', 'replace')[-500:]}")


ENGINES = {"oxigraph": oxigraph, "virtuoso": virtuoso}
EACH = ["oxigraph", pytest.param("virtuoso", marks=pytest.mark.all)]  # as parameters of tests


# Where an engine falls short of the standard: (engine, test case) → why.
# docs/remote-engines.md says the same to operators; a test holds the two together.
TWICE = "a triple of two default graphs comes back twice"
SHORTFALLS = {
    ("pool", "from twice"): TWICE,
    ("oxigraph", "from twice"): TWICE,
    ("oxigraph", "request two defaults"): TWICE,
    ("virtuoso", "from twice"): TWICE,
    ("virtuoso", "request two defaults"): TWICE,
    ("oxigraph", "test_several_default_graphs_are_one_set"): TWICE,
    ("virtuoso", "test_several_default_graphs_are_one_set"): TWICE,
    ("virtuoso", "values"): "VALUES of IRIs and literals together gives all as IRIs",
    ("virtuoso", "bnode"): "BNODE() is not implemented",
    ("virtuoso", "numeric"): "a boolean is numeric",
    ("virtuoso", "folded regex"): "REGEX with the flag i folds ASCII letters only",
    ("virtuoso", "booleans in rows"): "true and false in rows are written 1 and 0",
}


def expect_shortfall(request: pytest.FixtureRequest, engine: str, case: str) -> None:
    """Mark a test that this engine is known to fail; one that it passes after all then fails."""
    reason = SHORTFALLS.get((engine, case))
    if reason:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
