"""Rivals: the other servers, each started over an export of our triples."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

import httpx
from exports import Export, part
from servers import BIN, HOST, REQUEST_SECONDS, Command, Server, free_port, running

LOAD_SECONDS: Final = 900.0
CHUNK: Final = 2_000  # triples of one INSERT DATA: Virtuoso's parser has a limit
ROWS: Final = 20
JSON: Final = "application/sparql-results+json"
SELECT: Final = f"""PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX thc: <https://w3id.org/thc/ns#>
SELECT ?commune ?label ?population
WHERE {{ ?commune a thc:Commune ; rdfs:label ?label ; thc:population ?population }}
LIMIT {ROWS}"""
VIRTUOSO: Final = """
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
ServerPort = {host}:{sql}
ServerThreads = 10
NumberOfBuffers = 40000
MaxDirtyBuffers = 20000
CheckpointInterval = 0
DirsAllowed = .
[HTTPServer]
ServerPort = {host}:{http}
ServerThreads = 8
ServerRoot = .
"""


def rows(server: Server) -> None:
    """Ask for the first rows; a server that answers is ready."""
    server.query(SELECT, JSON)


@contextmanager
def oxigraph(export: Export, folder: Path) -> Iterator[Server]:
    began = time.perf_counter()
    run([BIN / "oxigraph", "load", "--location", folder, "--file", export.path])
    loading = time.perf_counter() - began
    command = [BIN / "oxigraph", "serve-read-only", "--location", folder, "--bind"]
    name = f"oxigraph {version('oxigraph')}"
    with running(name, lambda port: [*command, f"{HOST}:{port}"], "/query", rows) as server:
        server.loading = loading
        yield server


@contextmanager
def rdflib(export: Export, folder: Path, region: str) -> Iterator[Server]:
    """Serve everything, or one région if everything is not up in time."""
    name = f"rdflib-endpoint {version('rdflib-endpoint')}"
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running(name, _rdflib(export.path), "/", rows))
        except TimeoutError:
            kept = part(export, region, folder / "part.nt")
            server = stack.enter_context(running(name, _rdflib(kept.path), "/", rows))
            server.part = f"communes of région {region} only"
        yield server


def _rdflib(path: Path) -> Callable[[int], Command]:
    command = [BIN / "rdflib-endpoint", "serve", "--host", HOST, "--port"]
    return lambda port: [*command, str(port), path]


@contextmanager
def trifid(modules: Path, store: Server, export: Export, folder: Path) -> Iterator[Server]:
    """Serve pages with Trifid over another server's SPARQL, as its own container does.

    `modules` is where `npm install trifid` put it. It listens on all interfaces unless told.
    """
    config = folder / "trifid.yaml"
    address = f"{store.address}{store.sparql}"
    config.write_text(
        f"""server: {{listener: {{host: {HOST}, port: env:PORT}}}}
globals: {{datasetBaseUrl: "{export.base}/", endpoints: {{default: {{url: /query}}}}}}
plugins:
  entity-renderer: {{module: "@zazuko/trifid-entity-renderer"}}
  sparql-proxy:
    module: "@zazuko/trifid-plugin-sparql-proxy"
    paths: /query
    config: {{endpointUrl: "{address}"}}
""",
        encoding="utf-8",
    )
    program = modules / "node_modules" / "trifid" / "server.js"

    def command(port: int) -> Command:
        return ["env", f"PORT={port}", "NODE_ENV=production", "node", program, "-c", config]

    def ready(server: Server) -> None:
        server.get(f"/id/commune/{export.codes[0]}", "text/html")

    with running("trifid", command, "/query", ready) as server:
        yield server


@contextmanager
def virtuoso(export: Export, folder: Path) -> Iterator[Server]:
    folder.mkdir()
    sql = free_port()

    def command(port: int) -> Command:
        written = VIRTUOSO.format(host=HOST, sql=sql, http=port)
        (folder / "virtuoso.ini").write_text(written, encoding="utf-8")
        return ["env", "-C", folder, "virtuoso-t", "+foreground", "+configfile", "virtuoso.ini"]

    def ready(server: Server) -> None:
        server.get("/sparql")

    with running("virtuoso", command, "/sparql", ready) as server:
        _fill(server, export)
        yield server


def _fill(server: Server, export: Export) -> None:
    auth = httpx.DigestAuth("dba", "dba")  # a new database's own
    lines = export.path.read_text("utf-8").splitlines()
    for first in range(0, len(lines), CHUNK):
        update = "\n".join(lines[first : first + CHUNK])
        text = f"INSERT DATA {{ GRAPH <{export.base}/> {{ {update} }} }}"
        httpx.post(
            f"{server.address}/sparql-auth",
            data={"update": text},
            auth=auth,
            trust_env=False,
            timeout=REQUEST_SECONDS,
        ).raise_for_status()


def run(command: Command) -> None:
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=LOAD_SECONDS
    )
