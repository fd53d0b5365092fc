"""What strangers do to a server beside asking its engine hard questions, as tables.

Each attack is a kind: its requests differ in one way from what a decent client sends,
or are decent, and too many.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from stores import DEPARTEMENTS
from thc_graph.instance.settings import resources
from wire import Sent, request

MANY = 30  # connections of one client: as many as a browser that misbehaves, or a small script
FLOOD = 240  # requests of one
LONG = 31_000  # characters of a header that is let in: all of them are fewer than 32 KiB
ENDLESS = 1600  # times a piece of 64 KiB, where no end is told
PIECE = 1 << 16


@dataclass(frozen=True)
class Attack:
    """Requests of one client, so many at once."""

    name: str
    requests: tuple[Sent, ...]
    at_once: int = 6


# Numbers: whatever in an address is read as one

NUMBERED = (
    "/recherche?q=essai&page={}",
    "/recherche.json?q=essai&page={}",
    "/recherche.json?q=essai&dans=organisation&page={}",
    "/commune?page={}",
    "/engagement?page={}&vue=tableau",
    "/tableau-de-bord?page={}",
    "/tableau-de-bord?depuis={}",
    "/agenda?page={}",
    "/ligne-de-temps?nature=evenement&page={}",
    "/doc/departement/68/cite-par?propriete=https://w3id.org/thc/ns%23departement&page={}",
    "/doc/engagement/exemple-villeneuve-2024-2027-t4/historique?page={}",
    "/evenement?debut={}",
    "/sparql?query=ASK%7B%7D&timeout={}",
    "/carte?nature=commune&page={}",
)
NUMBERS = (
    "0",
    "-1",
    "999999999",
    "000000001999999999999",
    "18446744073709551616",
    "9" * 400,
    "1" + "0" * 5000,
    "1e400",
    "NaN",
    "%D9%A3",  # an Arabic three
    "%C2%B2",  # a square
    "1_0",
    "%001",
    "0x7fffffff",
)

# Headers: each list or value that is read by rules

READ = (
    "Accept",
    "Accept-Language",
    "Accept-Encoding",
    "If-None-Match",
    "If-Modified-Since",
    "Range",
    "Content-Type",
    "Authorization",
    "Cookie",
    "Origin",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Request-Id",
    "Access-Control-Request-Headers",
    "User-Agent",
)
SHAPES = (
    b"a," + b" " * LONG + b",b",
    b"a/b" + b"\t " * (LONG // 2) + b";",
    b";" * LONG,
    b"," * LONG,
    b"a/b;q=" + b"0" * LONG,
    b'a/b;x="' + b"\\" * LONG,
    b"a/b;x=" + b'"' * LONG,
    b"a=" * (LONG // 2),
    b"a/b; q=0." + b"9" * LONG,
    b"for=" + b"[::1]:" * (LONG // 6),
    b"\xff\xc0\x80" * (LONG // 3),
)

# Bodies that never end, or are framed by other rules than ours

CHUNKED = (
    b"POST /sparql HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    b"Content-Type: application/sparql-query\r\nTransfer-Encoding: chunked\r\n"
)
TRAILER = b"X-Trailer: " + b"x" * (PIECE - 13) + b"\r\n"
ENDLESS_BODIES = (
    Sent(CHUNKED + b"\r\n6\r\nASK {}\r\n0\r\n", TRAILER, ENDLESS),
    Sent(CHUNKED + b"\r\n6\r\nASK {}\r\n0\r\n", b"X: 1\r\n" * (PIECE // 6), ENDLESS),
    Sent(CHUNKED + b"\r\n6\r\nASK {}\r\n0\r\nX: ", b"x" * PIECE, ENDLESS),
    Sent(CHUNKED + b"Trailer: X\r\n\r\n0\r\n", TRAILER, ENDLESS),
    Sent(CHUNKED + b"\r\n1;", b"x" * PIECE, ENDLESS),
    Sent(CHUNKED + b"\r\n", b"1;" + b"x" * (PIECE - 8) + b"\r\nA\r\n", ENDLESS),
    Sent(CHUNKED + b"\r\n", b"1\r\nA\r\n" * (PIECE // 6), ENDLESS),
    Sent(CHUNKED + b"\r\n" + b"0" * 100, b"0" * PIECE, ENDLESS),
    Sent(CHUNKED, TRAILER, ENDLESS),
    Sent(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", b"x" * PIECE, ENDLESS),
    Sent(b"GET /", b"x" * PIECE, ENDLESS),
    Sent(b"", b"\r\n" * (PIECE // 2), ENDLESS),
    Sent(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\n", b"x" * PIECE, ENDLESS),
    Sent(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X: 1\r\n" * (PIECE // 6), ENDLESS),
)

INNER = b"GET /smuggled HTTP/1.1\r\nHost: evil.example\r\n\r\n"
FRAMINGS = (
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    b"Transfer-Encoding: identity, chunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n",
    b"Transfer-Encoding: \tchunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"X: y\r\n Transfer-Encoding: chunked\r\n",
    b"X: y\nTransfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\nContent-Length: 6\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: -5\r\n",
    b"Content-Length: 0x5\r\n",
    b"Content-Length: 5 5\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: \r\n",
    b"Host: 127.0.0.1\r\n",
    b"Host: evil.example\r\n",
    b"Host : evil.example\r\n",
    b"Expect: 100-continue\r\nContent-Length: 5\r\n",
    b"Expect: 200-ok\r\n",
    b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n",
    b"Connection: close, X\r\nX: 1\r\n",
    b"\x00: 1\r\n",
    b": 1\r\n",
    b"X\xe9: 1\r\n",
    b"X: \x00\r\n",
    b"X: a\rSet-Cookie: b\r\n",
)
SMUGGLING = tuple(
    Sent(b"POST /sparql HTTP/1.1\r\nHost: 127.0.0.1\r\n" + each + b"\r\n0\r\n\r\n" + INNER)
    for each in FRAMINGS
)
LINES = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/0.9\r\n\r\n",
    b"GET / HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET  /  HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET\t/\tHTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"get / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"FROB / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"G" * 9000 + b" / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Secret: 1\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET //evil.example/voc/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /\\evil.example HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET ?a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /#a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /voc/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n",
    b"\r\n\r\nGET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") * 500,
)

# Characters and names

PLACES = ("/doc/commune/{}", "/id/commune/{}", "/{}", "/voc/{}", "/recherche?q={}", "/commune?q={}")
CHARACTERS = (
    "%00",
    "%ff%fe",
    "%c0%af",
    "%ed%a0%80",
    "%f4%90%80%80",
    "%0d%0aX-Injected:%201",
    "..%2f..%2f..%2fetc%2fpasswd",
    "..%5c..%5c",
    "%",
    "%zz",
    "%25%30%30",
    "caf\u00e9",
    "%E2%80%AE%F0%9F%8F%B4",
    "a" * 8000,
    "%F0%9F%98%80" * 600,
    "a/" * 3000,
    "(" * 2000,
    "%22" * 2000,
    "%26%7C%21" * 600,
    "*" * 4000,
    "a%20OR%20" * 800,
    "{{7*7}}",
    "%3Cscript%3E",
    ";jsessionid=1",
)


def attacks() -> Iterator[Attack]:
    """Give every kind, the floods last."""
    yield Attack("numbers", tuple(_numbers()))
    yield Attack("headers", tuple(_headers()))
    yield Attack("endless bodies", ENDLESS_BODIES, 4)
    yield Attack("smuggling", SMUGGLING)
    yield Attack("request lines", tuple(map(Sent, LINES)))
    places = [(place, each) for place in PLACES for each in CHARACTERS]
    yield Attack("characters", tuple(request(place.format(each)) for place, each in places))
    yield from floods(codes())


def _numbers() -> Iterator[Sent]:
    for address in NUMBERED:
        for each in NUMBERS:
            yield request(address.format(each), ("Accept", "*/*"))


def _headers() -> Iterator[Sent]:
    for name in READ:
        for shape in SHAPES:
            yield request("/doc/commune/68224", (name, shape))
    for shape in SHAPES:
        yield request("/sparql?query=ASK%7B%7D", ("Accept", shape))


def codes() -> list[str]:
    """Return the codes of the communes that the tests' demonstration holds."""
    with (resources().data_folder / "territories/communes.csv").open(encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return [row["Code INSEE"] for row in rows if row["Code INSEE"][:2] in DEPARTEMENTS]


def floods(codes: list[str]) -> Iterator[Attack]:
    """Give decent requests, each another one than before, by many at once."""
    some = codes[:FLOOD]
    words = [f"saint {chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(FLOOD)]
    forms = ("csv", "xlsx", "jsonld", "ttl", "geojson", "ods")
    whole = [f"/commune.{form}" for form in forms] * (FLOOD // 24)
    narrowed = [f"/commune.{form}?q=saint&page={n}&x={n}" for form in forms for n in range(10)]
    turtle = ("Accept", "text/turtle")
    named: dict[str, list[Sent]] = {
        "entities": [request(f"/doc/commune/{each}") for each in some],
        "Turtle": [request(f"/doc/commune/{each}", turtle) for each in codes[-FLOOD:]],
        "histories": [request(f"/doc/commune/{each}/historique") for each in some],
        "lists": [request(f"/commune?page={n}&q={quote(w)}") for n, w in enumerate(words, 1)],
        "facets": [request(f"/commune?departement=departement/{n}") for n in range(FLOOD)],
        "searches": [request(f"/recherche?q={quote(each)}") for each in words],
        "suggestions": [request(f"/recherche/suggestions?q={quote(each)}") for each in words],
        "dashboards": [request(f"/tableau-de-bord?page=1&x={n}") for n in range(FLOOD)],
        "time lines and maps": [
            request(f"/{each}?x={n}")
            for n in range(FLOOD // 2)
            for each in ("ligne-de-temps", "carte")
        ],
        "whole exports": [request(each) for each in whole],
        "narrowed exports": [request(each) for each in narrowed],
        "unknown parameters": [request(f"/commune?x={n}") for n in range(FLOOD)],
        "long queries": [_long_query(n) for n in range(4 * FLOOD)],
        "exports left": [request(each, leaves=0.05) for each in (*whole, *narrowed)],
        "pages left": [request(f"/commune?q={quote(w)}&y=1", leaves=0.02) for w in words],
    }
    for name, sent in named.items():
        yield Attack(name, tuple(sent), MANY)


def _long_query(number: int) -> Sent:
    body = f"ASK {{}} # {number} {'x' * 16_000}".encode()
    return request(
        "/sparql", ("Content-Type", "application/sparql-query"), method="POST", body=body
    )
