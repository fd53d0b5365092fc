"""Servers: started on a free port of 127.0.0.1, asked in turn, ended by their own process id."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from wire import Wire

BIN = Path(sys.executable).parent
HOST = "127.0.0.1"
START_SECONDS = 120.0
REQUEST_SECONDS = 60.0
STOP_SECONDS = 10.0
WARMING = 3  # requests of each kind, before any is timed
TICK = os.sysconf("SC_CLK_TCK")

Command = Sequence[str | Path]


@dataclass
class Server:
    """One server that runs; `seconds` is from its start to its first answer."""

    name: str
    process: subprocess.Popen[bytes]
    client: Wire
    sparql: str
    seconds: float = 0.0
    loading: float | None = None
    part: str = ""  # what it holds, where it is not everything

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.client.port}"

    def query(self, text: str, media_type: str) -> bytes:
        return self.get(self.sparql, media_type, query=text)

    def get(self, path: str, media_type: str = "*/*", **parameters: str) -> bytes:
        return self.client.get(path, media_type, parameters)


@contextmanager
def running(
    name: str,
    command: Callable[[int], Command],
    sparql: str,
    is_ready: Callable[[Server], object],
) -> Iterator[Server]:
    """Start a server on a free port, wait until it is ready, end it by its pid.

    `is_ready` asks it something, and raises OSError while it cannot answer.

    Raises:
        TimeoutError: It was not ready within `START_SECONDS`.
    """
    port, began = free_port(), time.perf_counter()
    process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = Wire(HOST, port, REQUEST_SECONDS)
    server = Server(name, process, client, sparql)
    try:
        _await(server, is_ready, began)
        server.seconds = time.perf_counter() - began
        yield server
    finally:
        client.close()
        _end(process)


@contextmanager
def ours(root: Path, is_ready: Callable[[Server], object], name: str = "") -> Iterator[Server]:
    """Serve a store with the program this benchmark stands beside."""
    command = [BIN / "thc-graph", "--store", root, "serve", "--host", HOST, "--port"]
    called = name or f"thc-graph {version('thc-graph')}"
    with running(called, lambda port: [*command, str(port)], "/sparql", is_ready) as server:
        yield server


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def _await(server: Server, is_ready: Callable[[Server], object], began: float) -> None:
    while time.perf_counter() - began < START_SECONDS:
        if server.process.poll() is not None:
            sys.exit(f"{server.name} ended with {server.process.returncode} before it answered.")
        try:
            is_ready(server)
        except OSError:
            server.client.close()
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(server.name)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass
class Taken:
    """What a server took for one kind of request: seconds of each, and of its processors in all."""

    seconds: list[float]
    processor: float = 0.0


def in_turn(
    servers: Sequence[Server],
    ask: Callable[[Server, int], object],
    rounds: int,
    seconds: float,
) -> list[Taken]:
    """Ask each server in turn, and return what each took; fewer rounds where time is up."""
    found = [Taken([]) for _ in servers]
    used = [0.0] * len(servers)
    end = time.perf_counter() + seconds
    for turn in range(rounds + WARMING):
        if turn == WARMING:
            used = [processor(server.process.pid) for server in servers]
        for server, taken in zip(servers, found, strict=True):
            began = time.perf_counter()
            ask(server, turn)
            if turn >= WARMING:
                taken.seconds.append(time.perf_counter() - began)
        if turn >= WARMING and time.perf_counter() > end:
            break
    for server, taken, before in zip(servers, found, used, strict=True):
        taken.processor = processor(server.process.pid) - before
    return found


def processor(pid: int) -> float:
    """Return the seconds of processor that a process and its children have used."""
    fields = (Path("/proc", str(pid)) / "stat").read_text("utf-8").rpartition(")")[2].split()
    own = int(fields[11]) + int(fields[12])  # utime and stime: proc(5)
    return own / TICK + sum(map(processor, children(pid)))


def resident(pid: int) -> int:
    """Return the resident bytes of a process and its children; what they share counts twice."""
    status = (Path("/proc", str(pid)) / "status").read_text("utf-8")
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return (int(found[1]) << 10 if found else 0) + sum(map(resident, children(pid)))


def children(pid: int) -> list[int]:
    tasks = (Path("/proc", str(pid)) / "task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]
