"""One server through everything hostile we know, while another client looks on.

What goes in stands in tables. Each attack comes from an address of its own, so that no
quota shields the server from the next one. The server runs under a limit of memory.
"""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from serving import children, running
from thc_graph.instance.settings import read_settings, write_settings
from thc_graph.store.writes.repository import Repository

pytestmark = [
    pytest.mark.all,
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are read in /proc"),
]

CROWD = Path(__file__).parents[2] / "benchmarks" / "crowd.py"
MEBIBYTE = 1 << 20
LIMITS = {"seconds": 2.0, "memory": 400 * MEBIBYTE, "slow_seconds": 3.0}
ROOM = 768 * MEBIBYTE  # of address space, above what the server has at its start
IDLE = 4  # seconds of the other client alone, before and after
AT_ONCE = 6  # requests of one attacker
GRACE = 0.05  # seconds of noise in a median: this machine runs the attackers as well
BUSY, CALM = 2.0, 3.0  # seconds in which processor use is counted, after so many

ANY = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l"
LONG = " ".join(f'"{"x" * 60}{n}"' for n in range(200))
GROWTH = " ".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1})" for n in range(40))
PATTERNS = " . ".join(f"?s{n} ?p{n} ?s{n + 1}" for n in range(200))
STAR = " . ".join(f"?s ?p{n} ?o{n}" for n in range(200))


def nested(opening: str, closing: str, times: int, middle: str = "") -> str:
    return opening * times + middle + closing * times


RECURSION = [
    *(f"SELECT ({nested('(', ')', n, '1')} AS ?x) {{}}" for n in (90, 5000)),
    *(f"ASK {nested('{', '}', n)}" for n in (90, 5000)),
    *(f"ASK {nested('{ FILTER EXISTS ', '}', n, '{}')}" for n in (45, 500)),
    *(f"SELECT ({nested('STR(', ')', n, '1')} AS ?x) {{}}" for n in (90, 3000)),
    *(f"ASK {{ ?s {nested('(', ')*', n, '<urn:p>')} ?o }}" for n in (90, 3000)),
    *(f"ASK {{ ?s {'^' * n}<urn:p> ?o }}" for n in (400, 9000)),
    *(f"ASK {{ ?s {'/'.join(['<urn:p>'] * n)} ?o }}" for n in (400, 1500)),
    *(f"ASK {{ ?s {'|'.join(['<urn:p>'] * n)} ?o }}" for n in (400, 1500)),
    *(f"SELECT ({op.join(['1'] * n)} AS ?x) {{}}" for op in "+-*/" for n in (400, 6000)),
    *(f"ASK {{ FILTER({op.join(['?x'] * n)}) }}" for op in ("||", "&&") for n in (400, 3000)),
    *(f"ASK {{ FILTER({'!' * n}?x) }}" for n in (400, 15_000)),
    *(f"ASK {{ ?s ?p {nested('(', ')', n)} }}" for n in (90, 3000)),
    *(f"ASK {{ ?s ?p {nested('[ ?p ', ']', n)} }}" for n in (90, 2000)),
    *(f"ASK {{ {' UNION '.join(['{}'] * n)} }}" for n in (400, 1700)),
    *(f"ASK {{ {'OPTIONAL {} ' * n} }}" for n in (400, 1300)),
    *(f"ASK {{ {'MINUS {} ' * n} }}" for n in (400, 1800)),
    *(f"SELECT (IF(1,1,{nested('IF(1,1,', ')', n, '1')}) AS ?x) {{}}" for n in (90, 2000)),
    *(f"SELECT * {nested('{ SELECT * ', '}', n, '{}')}" for n in (90, 1000)),
    *(f"SELECT (1 IN ({nested('1 IN (', ')', n, '1')}) AS ?x) {{}}" for n in (90, 2000)),
    f"ASK {{ ?s ?p ({'1 ' * 8000}) }}",
    f"ASK {{ ?s ?p {','.join(['1'] * 8000)} }}",
]
PLANNER = [
    f"ASK {{ {PATTERNS} }}",
    f"ASK {{ {STAR} }}",
    f"SELECT * {{ {PATTERNS} }} ORDER BY ?s9 LIMIT 1",
    f"SELECT (COUNT(*) AS ?n) {{ {ANY} }}",
    "SELECT (COUNT(*) AS ?n) { ?a (<urn:p>|!<urn:p>)* ?b . ?b (<urn:q>|!<urn:q>)+ ?c }",
    "SELECT * { ?s !(<urn:p>)* ?o } ORDER BY ?o",
]
MEMORY = [
    f"SELECT * {{ {ANY} }} ORDER BY ?l ?i",
    f"SELECT DISTINCT * {{ {ANY} }}",
    f"SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?g))) AS ?x) {{ {ANY} }}",
    f"SELECT ?a ?d (COUNT(?g) AS ?n) {{ {ANY} }} GROUP BY ?a ?d ?g ?j",
    f'SELECT ?x40 {{ BIND("{"x" * 1000}" AS ?x0) {GROWTH} }}',
    f'SELECT (STRLEN(?x40) AS ?n) {{ BIND("x" AS ?x0) {GROWTH} }}',
    f"SELECT * {{ VALUES ?a {{ {LONG} }} VALUES ?b {{ {LONG[:900]} " + '"} }',
    f"CONSTRUCT {{ ?a ?b ?f . ?d ?e ?c }} {{ {ANY} }}",
    f"DESCRIBE ?a ?d {{ {ANY} }}",
    'SELECT (REPLACE("' + "a" * 9000 + '", "a", "' + "b" * 5000 + '") AS ?x) {}',
    'ASK { FILTER REGEX("' + "a" * 9000 + '", "^(a{1,1000}){1,1000}$") }',
    "SELECT * { ?a ?b ?c FILTER EXISTS { ?d ?e ?f FILTER(?c = ?f && ?a != ?d) } } ORDER BY ?c",
]
SLOW_TO_READ = [
    "ASK { " + "<a'b#c>" * 2300,
    "ASK { VALUES ?x { " + "<a'b#c> " * 1900 + "} }",
    "<" * 16_000,
    "ASK { FILTER(" + "?a<?b " * 2600,
]
SERVICE = [
    "SELECT * {{ SERVICE <{}> {{ ?s ?p ?o }} }}",
    "SELECT * {{ service <{}> {{ ?s ?p ?o }} }}",
    "SELECT * {{ SeRvIcE<{}>{{ ?s ?p ?o }} }}",
    "SELECT * {{ SERVICE SILENT <{}> {{ ?s ?p ?o }} }}",
    "SELECT * {{ SERVICE#c\n<{}> {{ ?s ?p ?o }} }}",
    "SELECT * {{ BIND(1 AS ?x) FILTER(1=1SERVICE <{}> {{ ?s ?p ?o }}) }}",
    "SELECT * {{ VALUES ?x {{ 1SERVICE <{}> {{ ?s ?p ?o }} }} }}",
    "SELECT * {{ FILTER(trueSERVICE <{}> {{ ?s ?p ?o }}) }}",
    "SELECT * {{ ?s ?p 1SERVICE <{}> {{ ?a ?b ?c }} }}",
    "SELECT * {{ ?s ?p trueSERVICE <{}> {{ ?a ?b ?c }} }}",
    "SELECT * {{ VALUES ?e {{ <{}> }} SERVICE ?e {{ ?s ?p ?o }} }}",
    "PREFIX e: <{}> SELECT * {{ SERVICE e: {{ ?s ?p ?o }} }}",
    "PREFIX e: <{}> SELECT * {{ SERVICEe: {{ ?s ?p ?o }} }}",
    "BASE <{}> SELECT * {{ SERVICE <> {{ ?s ?p ?o }} }}",
    "SELECT * {{ \\u0053ERVICE <{}> {{ ?s ?p ?o }} }}",
    "SELECT * {{ SERVICE <\\u0068ttp{}> {{ ?s ?p ?o }} }}",
    "SELECT * {{ {{ SELECT * {{ SERVICE <{}> {{ ?s ?p ?o }} }} }} }}",
    "ASK {{ FILTER EXISTS {{ SERVICE <{}> {{ ?s ?p ?o }} }} }}",
    "ASK {{ FILTER(?a<?b)SERVICE <{}> {{ ?s ?p ?o }} }}",
    "SELECT * FROM <{}> {{ ?s ?p ?o }}",
    "SELECT * FROM NAMED <{}> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
    "DESCRIBE <{}>",
    "LOAD <{}>",
    "LOAD SILENT <{}> INTO GRAPH <urn:g>",
    "SELECT * FROM <file:///etc/passwd> {{ ?s ?p ?o }} #{}",
    "INSERT {{ ?s ?p ?o }} WHERE {{ SERVICE <{}> {{ ?s ?p ?o }} }}",
]
UPDATES = [
    'INSERT DATA { <urn:hostile> <urn:hostile> "x" }',
    "DELETE WHERE { ?s ?p ?o }",
    "CLEAR ALL",
    "DROP SILENT ALL",
    "ASK {} ; CLEAR ALL",
    "WITH <urn:g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
    "COPY DEFAULT TO <urn:g>",
]
FORM, QUERY, UPDATE = (
    f"application/{each}" for each in ("x-www-form-urlencoded", "sparql-query", "sparql-update")
)


@dataclass(frozen=True)
class Attack:
    """Requests of one attacker: each a method, what is sent, and headers."""

    name: str
    requests: tuple[dict[str, Any], ...]


def asked(queries: list[str]) -> tuple[dict[str, Any], ...]:
    """Ask each query by POST, direct."""
    headers = {"Content-Type": QUERY}
    return tuple({"content": each.encode(), "headers": headers} for each in queries)


def channels(update: str) -> Iterator[dict[str, Any]]:
    form = urlencode({"update": update})
    yield {"method": "GET", "params": {"update": update}}
    yield {"method": "GET", "params": {"query": update}}
    yield {"method": "GET", "params": {"query": "ASK {}", "update": update}}
    yield {"data": {"update": update}}
    yield {"data": {"query": update}}
    yield {"data": {"query": "ASK {}", "update": update}}
    types = (UPDATE, UPDATE.upper(), f"{UPDATE}; charset=utf-8", QUERY, "text/plain", FORM, "")
    for type_ in types:
        yield {"content": update.encode(), "headers": {"Content-Type": type_}}
    yield {"content": form.encode(), "headers": {"Content-Type": "multipart/form-data"}}
    yield {"params": {"update": update}, "content": b"ASK {}", "headers": {"Content-Type": QUERY}}
    for method in ("PUT", "PATCH", "DELETE"):
        yield {"method": method, "content": update.encode(), "headers": {"Content-Type": UPDATE}}
    for path in ("/update", "/sparql/update", "/data?default", "/rdf-graph-store?default"):
        yield {"url": path, "content": update.encode(), "headers": {"Content-Type": UPDATE}}


HEADERS: tuple[dict[str, Any], ...] = (
    {"method": "GET", "headers": {"Accept": ",".join(f"a/b{n};q=0.{n}" for n in range(2000))}},
    {"method": "GET", "headers": {"Accept": ",".join(["*/*"] * 7000)}},
    {"method": "GET", "headers": {"Accept": ";" * 20_000}},
    {"method": "GET", "headers": {"Accept-Language": ",".join(["en;q=0.1"] * 3000)}},
    {"method": "GET", "headers": {"If-None-Match": ",".join(['"x"'] * 7000)}},
    {"method": "GET", "headers": {"Range": "bytes=" + ",".join(["0-1"] * 5000)}},
    {"method": "GET", "headers": {"X-Forwarded-For": ",".join(["1.2.3.4"] * 3000)}},
    {"method": "GET", "headers": {"Cookie": "a=b;" * 7000}},
    {"method": "GET", "headers": {"Host": "evil.example"}},
    {"method": "GET", "headers": [("X", "1")] * 2000},
    {
        "method": "GET",
        "url": "/sparql?query=ASK%7B%7D&default-graph-uri=urn:x%0d%0aSet-Cookie:a",
    },
    {"method": "GET", "url": "/sparql?query=ASK%20%7B%7D&format=%0d%0aX:1"},
    {"method": "GET", "url": "/doc/commune/%0d%0aX-Injected:%201"},
    {"method": "GET", "url": "/id/commune/68224%0d%0aX-Injected:%201"},
    {"method": "GET", "url": "/%ff%fe%00"},
    {"method": "GET", "url": "/doc/commune/%zz%"},
    {"method": "GET", "url": "/recherche?q=" + "%00%ff" * 1000},
    {"method": "GET", "url": "/doc/" + "../" * 2000 + "etc/passwd"},
    {"method": "GET", "url": "/static/..%2f..%2f..%2fetc/passwd"},
    {"method": "GET", "url": "/commune?" + "f=x&" * 1900},
    {"method": "GET", "url": "/commune?page=" + "9" * 5000},
    {"method": "GET", "url": "/sparql?" + "default-graph-uri=urn:x&" * 300 + "query=ASK%7B%7D"},
    {"content": b"query=" + b"%41" * 340_000, "headers": {"Content-Type": FORM}},
    {"content": b"a=b&" * 250_000, "headers": {"Content-Type": FORM}},
    {"content": b"query=ASK%7B%7D&" * 65_000, "headers": {"Content-Type": FORM}},
    {"content": b"x" * 3_000_000, "headers": {"Content-Type": FORM}},
    {"content": b"x" * 3_000_000, "headers": {"Content-Type": "application/octet-stream"}},
    {"url": "/", "content": b"x" * 3_000_000, "headers": {"Content-Type": FORM}},
    {
        "content": b"\x1f\x8b\x08" + bytes(1000),
        "headers": {"Content-Type": QUERY, "Content-Encoding": "gzip"},
    },
    {"content": b"ASK {}\x00\xff", "headers": {"Content-Type": QUERY}},
    {"content": "ASK {}".encode("utf-16"), "headers": {"Content-Type": f"{QUERY}; charset=utf-16"}},
    {"method": "GET", "params": {"query": "SELECT * { ?s ?p ?o } LIMIT 60000", "format": "html"}},
    {
        "method": "GET",
        "params": {"query": "CONSTRUCT WHERE { ?s ?p ?o }", "format": "html"},
    },
)

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
SLOW: tuple[bytes, ...] = (
    b"",
    HEAD,
    HEAD + b"X-Slow: ",
    b"POST /sparql HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nASK",
    b"POST /sparql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nASK",
    b"GET /sparql?query=SELECT%20*%20%7B%3Fs%20%3Fp%20%3Fo%7D HTTP/1.1\r\nHost: x\r\n\r\n",
    HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    HEAD + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
    HEAD + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    HEAD + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
    HEAD + b"A: " + b"x" * 200_000,
    b"GET /" + b"x" * 200_000,
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 1000,
    (HEAD + b"\r\n") * 200,
    b"GET /sparql?query=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /caf\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://127.0.0.1:9/ HTTP/1.1\r\nHost: x\r\n\r\n",
)


class Listener:
    """A door on loopback that nobody is to come through."""

    def __init__(self) -> None:
        self.came = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/data.ttl"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                self._socket.accept()[0].close()
                self.came += 1

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def attacks(listener: Listener) -> tuple[Attack, ...]:
    services = [text.format(listener.address) for text in SERVICE]
    gets = tuple({"method": "GET", "params": {"query": each}} for each in services)
    updates = tuple(each for update in UPDATES for each in channels(update))
    return (
        Attack("recursion", asked(RECURSION)),
        Attack("planner", asked(PLANNER)),
        Attack("memory", asked(MEMORY)),
        Attack("slow to read", asked(SLOW_TO_READ * 10)),
        Attack("service", asked(services)),
        Attack("service by address", gets),
        Attack("updates", updates),
        Attack("headers", HEADERS),
        Attack("runaways", asked([f"SELECT (COUNT(*) AS ?n) {{ {ANY} }} #{n}" for n in range(40)])),
    )


def mount(attack: Attack, address: str, source: str) -> list[str]:
    """Send all requests of an attack, a few at a time; return what was wrong with the answers."""
    transport = httpx.HTTPTransport(local_address=source)
    with (
        httpx.Client(base_url=address, transport=transport, timeout=30) as client,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        return [*filter(None, threads.map(lambda each: fault(client, each), attack.requests))]


def fault(client: httpx.Client, request: dict[str, Any]) -> str:
    try:
        answer = client.request(**{"method": "POST", "url": "/sparql", **request})
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
        return ""  # it was hung up on while it was still sending
    except httpx.InvalidURL:
        return ""
    if answer.status_code >= 500 and answer.status_code != 503:
        return f"{answer.status_code} to {str(request)[:200]}"
    if leaks := [each for each in ("Traceback", "site-packages", "/src/") if each in answer.text]:
        return f"{leaks} in the answer to {str(request)[:200]}"
    if any(name in answer.headers for name in ("x-injected", "set-cookie", "server")):
        return f"a header was let in by {str(request)[:200]}"
    return ""


def stall(address: str, source: str) -> None:
    """Open connections that stop half-way, leave half-way, or never take what they asked for."""
    place = (httpx.URL(address).host, httpx.URL(address).port or 80)
    held = []
    for sent in SLOW * 2:
        with suppress(OSError):
            held.append(socket.create_connection(place, 5, source_address=(source, 0)))
            held[-1].sendall(sent)
            if len(held) % 3 == 0:
                held[-1].shutdown(socket.SHUT_WR)
    time.sleep(LIMITS["slow_seconds"] + 1)
    for each in held:
        each.close()


@dataclass
class Witness:
    """Another client, in a process of its own."""

    address: str
    source: int

    def look(self, seconds: float) -> "subprocess.Popen[str]":
        place = ["--address", self.address, "--first", str(self.source), "--clients", "1"]
        command = [sys.executable, str(CROWD), *place, "--pause", "0.03", "--json"]
        return subprocess.Popen(
            [*command, "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True
        )


def told(process: "subprocess.Popen[str]") -> dict[str, Any]:
    out, _ = process.communicate(timeout=300)
    found: dict[str, Any] = json.loads(out)
    return found


def ticks(pids: list[int]) -> float:
    """Return the seconds of processor that processes have used so far."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


def memory(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def test_nothing_hostile_is_felt_by_another(demo: Repository, tmp_path: Path) -> None:
    own = replace(read_settings(demo.root), **LIMITS)
    published = (demo.root / "CURRENT").read_bytes()
    root = tmp_path / "store"
    root.mkdir()
    for each in demo.root.iterdir():
        if each.name != "settings.yaml":
            (root / each.name).symlink_to(each)
    write_settings(replace(own, store=root))
    listener, sources = Listener(), count(1)
    with running(root) as (pid, address):
        witness = Witness(address, 250)
        told(witness.look(2))  # warms caches up
        before = told(witness.look(IDLE))
        began, peak = memory(pid, "VmSize"), memory(pid, "VmRSS")
        resource.prlimit(pid, resource.RLIMIT_AS, (began + ROOM, began + ROOM))
        looking = witness.look(600)
        faults = {
            attack.name: mount(attack, address, f"127.0.1.{next(sources)}")
            for attack in attacks(listener)
        }
        stall(address, f"127.0.1.{next(sources)}")
        looking.send_signal(signal.SIGINT)
        meanwhile = told(looking)
        time.sleep(CALM)
        alive = children(pid)
        used = ticks([pid, *alive])
        time.sleep(BUSY)
        assert children(pid) == alive
        assert len(alive) == 2 * own.workers + 1
        used = ticks([pid, *alive]) - used
        peak = memory(pid, "VmHWM") - peak
        after = told(witness.look(IDLE))
    listener.close()
    idle = max(before["median"], after["median"])  # others may have begun or ended meanwhile
    medians = f"{idle * 1000:.1f} ms idle, {meanwhile['median'] * 1000:.1f} ms meanwhile"
    sys.stdout.write(f"{medians}; {peak >> 20} MiB more; {used:.2f} s used after\n")
    assert faults == {name: [] for name in faults}
    assert meanwhile["faults"] == {}
    assert set(meanwhile["statuses"]) == {"200"}
    assert listener.came == 0
    assert used < 0.1 * BUSY
    assert peak < 300 * MEBIBYTE
    assert meanwhile["median"] < 2 * idle + GRACE
    assert (demo.root / "CURRENT").read_bytes() == published
