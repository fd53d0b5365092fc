"""A server over a remote engine listens at once, and answers pages itself meanwhile."""

import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from serving import PATIENCE, free_port
from thc_graph.instance.settings import read_settings, write_settings
from thc_graph.store.writes.repository import Repository

pytestmark = pytest.mark.long


def answer(address: str) -> httpx.Response:
    """Return the first answer of a server that is starting."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            return httpx.get(address, timeout=PATIENCE)
        time.sleep(0.1)
    raise TimeoutError


def test_an_engine_is_filled_beside_a_server_that_listens(demo: Repository, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(demo.root, store)
    with closing(socket.create_server(("127.0.0.1", 0))) as engine:  # it never says a word
        remote = f"http://127.0.0.1:{engine.getsockname()[1]}/"
        changed = replace(read_settings(store), remote=remote, remote_update=remote)
        write_settings(replace(changed, seconds=3.0, drain_seconds=0.1, stop_seconds=3.0))
        port, program = free_port(), Path(sys.executable).with_name("thc-graph")
        command = [str(program), "--store", str(store), "serve", "--port", str(port)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
            try:
                address = f"http://127.0.0.1:{port}"
                assert answer(f"{address}/healthz").status_code == 200
                assert answer(f"{address}/readyz").status_code == 503
                page = answer(f"{address}/doc/commune/68224.ttl")
                assert page.status_code == 200
                assert "etag" not in page.headers
                assert answer(f"{address}/sparql?query=ASK%20%7B%7D").status_code == 503
            finally:
                server.terminate()
                server.wait(PATIENCE)
