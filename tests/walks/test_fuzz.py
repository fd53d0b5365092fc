"""Requests by chance: whatever is asked, the answer is one, and says nothing of this machine.

A failure prints the request; add it here as an `@example`, so that it is tried each time.
Hypothesis keeps it in `.hypothesis` as well, and tries it first.
"""

import asyncio
import gzip
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import brotli
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, example, given, settings
from pyoxigraph import RdfFormat, parse

import grammar
import linux
from grammar import HOST, Asked, Words
from serving import running
from thc_graph.instance.service import open_service
from thc_graph.instance.settings import read_settings
from thc_graph.store.writes.repository import Repository
from thc_graph.web.app import create_app
from wire import Came, Sent, exchange

SECONDS = 2.0  # that a query may take here
PATIENCE = 15.0  # seconds in which anything is answered, on a machine that does much else
REFUSALS = (503, 507)  # above 499, what the documentation says
LEAKS = re.compile(rb"Traceback|site-packages|/src/thc_graph|[Pp]ython/?3\.|uvicorn|[Ss]tarlette")
BODILESS = (204, 304)
WITHIN = {2_000: 150.0, 300: 60.0, 50_000: 3600.0, 5_000: 1200.0}  # requests, seconds for them
# By hand until the Link header of the longest addresses has a bound: it still finds that.
IN_ALL, BY_HAND = pytest.mark.by_hand, pytest.mark.by_hand
numbers = pytest.mark.parametrize(
    "number", [pytest.param(2_000, marks=IN_ALL), pytest.param(50_000, marks=BY_HAND)]
)
wire_numbers = pytest.mark.parametrize(
    "number", [pytest.param(300, marks=IN_ALL), pytest.param(5_000, marks=BY_HAND)]
)


class Clock:
    """Lets a number of examples be tried until its time is over; hypothesis itself has no clock.

    A failing request is told as it came: to shrink one takes as long as thousands of others.
    """

    def __init__(self, number: int) -> None:
        self.number, self.tried = number, 0
        self.end = time.monotonic() + WITHIN[number]
        phases = (Phase.explicit, Phase.reuse, Phase.generate)
        checks = list(HealthCheck)
        self.settings = settings(
            max_examples=number,
            phases=phases,
            print_blob=True,
            deadline=None,
            suppress_health_check=checks,
        )

    def runs(self) -> bool:
        is_in_time = time.monotonic() < self.end
        self.tried += is_in_time
        return is_in_time

    def check(self) -> None:
        """Print how many were tried; a machine that has time for less than half says too little."""
        print(f"{self.tried} requests of {self.number}")  # noqa: T201
        assert self.tried > self.number / 2


@dataclass
class Application:
    """An application in this process, asked without a server."""

    app: FastAPI
    words: Words
    runner: asyncio.Runner
    hidden: bytes  # a path of this machine
    clients: Iterator[int] = field(default_factory=count)

    def ask(self, asked: Asked) -> Came:
        return self.runner.run(asyncio.wait_for(self._answer(asked), PATIENCE))

    async def _answer(self, asked: Asked) -> Came:
        told: list[dict[str, Any]] = []
        heard, is_sent = asyncio.Event(), iter((False,))

        async def send(message: Any) -> None:
            told.append(dict(message))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                heard.set()

        async def receive() -> dict[str, Any]:
            if next(is_sent, True):  # as a server does, which has nothing more to give
                await heard.wait()
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": asked.body, "more_body": False}

        with suppress(Exception):  # it is answered by 500 first, then raised for the server's log
            await self.app(self._scope(asked), receive, send)
        return _came(told)

    def _scope(self, asked: Asked) -> dict[str, Any]:
        number = next(self.clients)
        own = [(b"host", HOST.encode())] if not any(k == b"host" for k, _ in asked.headers) else []
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": asked.method,
            "scheme": "http",
            "path": unquote(asked.path.decode("ascii")),
            "raw_path": asked.path,
            "root_path": "",
            "query_string": asked.query,
            "headers": [*own, *asked.headers],
            "client": (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }


def _came(told: list[dict[str, Any]]) -> Came:
    start = next((each for each in told if each["type"] == "http.response.start"), None)
    if start is None:
        return Came(fault="no answer")
    body = b"".join(each.get("body", b"") for each in told)
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in start["headers"]}
    return Came(start["status"], headers, body)


@pytest.fixture(scope="module")
def application(demo: Repository) -> Iterator[Application]:
    service = open_service(replace(read_settings(demo.root), seconds=SECONDS))
    app = create_app(service)
    with asyncio.Runner() as runner:
        living = app.router.lifespan_context(app)
        runner.run(living.__aenter__())
        hidden = str(demo.root).encode()
        yield Application(app, grammar.words(app, service), runner, hidden)
        runner.run(living.__aexit__(None, None, None))


def wrongs(came: Came, method: str, hidden: bytes) -> list[str]:
    """Return what is wrong with an answer, whatever was asked."""
    if came.fault:
        return [came.fault]
    found = [] if came.status < 500 or came.status in REFUSALS else [f"status {came.status}"]
    found += [f"leak: {leak!r}" for leak in LEAKS.findall(came.body)]
    found += ["leak of a path"] if hidden in came.body else []
    found += ["leak of the server's name"] if "server" in came.headers else []
    found += [f"{k}: {v!r}" for k, v in came.headers.items() if not _is_sane(v)]
    found += ["the Host is said again"] if HOST.encode() in came.body else []
    if method == "HEAD" or came.status in BODILESS:
        return [*found, *(["a body where there is none"] if came.body else [])]
    told = came.headers.get("content-length", "")
    found += [] if told in ("", str(len(came.body))) else [f"length {told} ≠ {len(came.body)}"]
    return [*found, *_malformed(came)]


def _is_sane(value: str) -> bool:
    return value.isprintable() and HOST not in value and len(value) < 20_000


def _malformed(came: Came) -> list[str]:
    """Return what its own media type refuses in a body."""
    if not came.body:
        return []
    type_ = came.headers.get("content-type", "").partition(";")[0]
    check = next((each for end, each in WELL_FORMED.items() if type_.endswith(end)), None)
    if check is None:
        return [] if type_ else ["no Content-Type"]
    try:
        check(UNPACKED[came.headers.get("content-encoding", "")](came.body))
    except Exception as fault:  # noqa: BLE001  whatever a reader raises
        return [f"{type_} is not: {fault!r:.200}"]
    return []


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _is_html(body: bytes) -> None:
    text = body.decode("utf-8").strip().lower()
    if not (text.startswith("<!doctype html>") and text.endswith("</html>")):
        raise ValueError(text[:60])


def _triples(form: RdfFormat) -> Callable[[bytes], object]:
    return lambda body: list(parse(body, format=form, base_iri="http://localhost/"))


UNPACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
}
WELL_FORMED: dict[str, Callable[[bytes], object]] = {
    "text/html": _is_html,
    "ld+json": _triples(RdfFormat.JSON_LD),
    "json": lambda body: json.loads(body, parse_constant=_refuse),
    "rdf+xml": _triples(RdfFormat.RDF_XML),
    "xml": ET.fromstring,
    "text/turtle": _triples(RdfFormat.TURTLE),
    "n-triples": _triples(RdfFormat.N_TRIPLES),
    "text/csv": lambda body: body.decode("utf-8"),
    "text/plain": lambda body: body.decode("utf-8"),
    "calendar": lambda body: body.index(b"END:VCALENDAR"),
    "sheet": lambda body: ZipFile(BytesIO(body)).testzip(),
}


@numbers
def test_an_application_answers_whatever_is_asked(application: Application, number: int) -> None:
    clock = Clock(number)

    @clock.settings
    @given(grammar.requests(application.words))
    @example(Asked("GET", b"/recherche.json", b"q=a&dans=organisation&page=000000001999999999999"))
    @example(Asked("GET", b"/recherche", b"page=" + b"9" * 5000))
    @example(Asked("GET", b"/voc/", b"", ((b"host", HOST.encode()),)))
    @example(Asked("GET", b"/doc/commune/68224", b"", ((b"accept", b"a," + b" " * 999 + b",b"),)))
    @example(Asked("GET", b"/doc/evenement/%3C%01.ics"))
    @example(Asked("GET", b"/doc/" + b"a" * 3000 + b"/68224"))
    @example(Asked("GET", b"/sparql", b"", ((b"accept", b"text/html"), (b"host", HOST.encode()))))
    def law(asked: Asked) -> None:
        assert (
            not clock.runs()
            or wrongs(application.ask(asked), asked.method, application.hidden) == []
        )

    law()
    clock.check()


def test_every_route_is_asked(application: Application) -> None:
    """A route that the grammar cannot fill would be asked by its template, and never found."""
    for path, methods in application.words.addresses:
        for parts in re.findall(r"\{([\w:]+)\}", path):
            assert parts in grammar.PARTS, f"{path}: {grammar.__file__} fills no {parts!r}"
        assert methods


@pytest.fixture(scope="module")
def server(demo: Repository, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Server"]:
    log = tmp_path_factory.mktemp("fuzz") / "log"
    with running(demo.root, log=log) as (pid, address):
        url = urlsplit(address)
        yield Server(pid, (url.hostname or "", url.port or 0), log, str(demo.root).encode())


@dataclass
class Server:
    """A server in a process of its own."""

    pid: int
    place: tuple[str, int]
    log: Path
    hidden: bytes
    clients: Iterator[int] = field(default_factory=count)

    def ask(self, sent: Sent) -> Came:
        number = next(self.clients)
        return exchange(self.place, f"127.1.{number >> 8 & 255}.{number & 255}", sent)

    def living(self) -> list[int]:
        return linux.listening(self.pid, self.place[1])


@wire_numbers
def test_a_server_answers_or_hangs_up_whatever_comes(
    server: Server, application: Application, number: int
) -> None:
    living, clock = server.living(), Clock(number)

    @clock.settings
    @given(grammar.wired(application.words))
    @example(b"GET /voc/ HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nConnection: close\r\n\r\n")
    def law(written: bytes) -> None:
        if not clock.runs():
            return
        began = time.monotonic()
        sent = Sent(written, ends=True)
        came = server.ask(sent)
        assert time.monotonic() - began < PATIENCE
        if came.status:
            assert wrongs(came, sent.method, server.hidden) == []

    law()
    clock.check()
    assert server.living() == living
    assert '"trace"' not in server.log.read_text("utf-8", "replace")
