"""A real server on loopback, for tests that need one from the outside."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0  # seconds until a server must answer
NOWHERE = Path(os.devnull)


@contextmanager
def served(store: Path, *options: str, port: int = 0) -> Iterator[str]:
    """Serve a store by the product's own command; give the address without a final slash."""
    with running(store, *options, port=port) as (_, address):
        yield address


@contextmanager
def running(
    store: Path, *options: str, log: Path = NOWHERE, port: int = 0
) -> Iterator[tuple[int, str]]:
    """Serve a store; give the id of the process that serves, and its address."""
    port = port or free_port()
    program = Path(sys.executable).with_name("thc-graph")
    command = [str(program), "--store", str(store), "serve"]
    with (
        log.open("wb") as told,
        subprocess.Popen(
            [*command, "--port", str(port), *options], stdout=subprocess.DEVNULL, stderr=told
        ) as process,
    ):
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(f"{address}/readyz")
            yield children(process.pid)[0], address
        finally:
            process.terminate()
            process.wait(PATIENCE)


def children(pid: int) -> list[int]:
    """Return the ids of a process's children, none where it has ended."""
    try:
        tasks = [*Path(f"/proc/{pid}/task").iterdir()]
        return [int(each) for task in tasks for each in (task / "children").read_text().split()]
    except OSError:
        return []


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait(address: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(address) as answer:  # noqa: S310  loopback
                answer.read()
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
