"""Addresses, headers and bodies by chance, made of what the application itself knows.

Routes, their methods and the names that are read come from the application and its source:
whoever adds one has it asked for. What stands there is now what belongs, now what does not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI
from hypothesis import strategies as st

import thc_graph.web
from thc_graph.instance.service import Service
from thc_graph.lists.kinds import classes_of, facets_of
from thc_graph.web.http.routing import Address

OWN = "one that the address has"
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "FROB")
ENTITIES = (
    ("commune", "68224"),
    ("departement", "68"),
    ("organisation", "democratie-ouverte"),
    ("engagement", "exemple-villeneuve-2024-2027-t4"),
    ("evenement", "2026-06-11-visio-publier-le-budget-en-donnees-ouvertes-fictive"),
)
SUFFIXES = ("html", "ttl", "jsonld", "nt", "rdf", "csv", "xlsx", "ods", "json", "geojson", "ics")
FURTHER = ("atom", "svg", "rq", "xml", "trig", "nq")
MEDIA_TYPES = (
    *("text/html", "text/turtle", "application/ld+json", "application/n-triples", "text/csv"),
    *("application/rdf+xml", "application/sparql-results+json", "application/sparql-results+xml"),
    *("application/json", "text/tab-separated-values", "application/sparql-query", "image/png"),
    *("application/x-www-form-urlencoded", "application/sparql-update", "multipart/form-data"),
    *("application/geo+json", "application/atom+xml", "text/calendar", "*/*", "text/*"),
)
QUERIES = (
    "ASK {}",
    "SELECT * { ?s ?p ?o } LIMIT 3",
    "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o } LIMIT 3",
    "DESCRIBE <https://data.thc.example/id/commune/68224>",
    "SELECT (1/0 AS ?x) ?y {}",
    'SELECT ?x { VALUES ?x { \'a\\u0000\' \'<&>\' """]]>"""@fr 1e400 } }',
    "INSERT DATA { <urn:a> <urn:b> 1 }",
    "SELECT * { ?s ?p",
)
# Parts of addresses, and what fills them.
PARTS = ("kind", "key", "key:key", "name", "suffix", "rest:path", "name:path")
HOST = "hote-etranger.example"  # no answer says it again


@dataclass(frozen=True)
class Asked:
    """A request as a server hands it to an application."""

    method: str
    path: bytes  # as sent, percent-encoded
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class Words:
    """What an application knows: its addresses, and the names it reads."""

    addresses: tuple[tuple[str, tuple[str, ...]], ...]  # template, methods
    parameters: tuple[str, ...]
    headers: tuple[str, ...]


def words(app: FastAPI, service: Service) -> Words:
    """Read the addresses from the route table, and the names from source, forms and shapes."""
    found = [(each.path, tuple(each.works)) for each in app.routes if isinstance(each, Address)]
    folder, schema = Path(thc_graph.web.__file__).parent, service.schema
    source = "".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.py")))
    forms = "".join(path.read_text("utf-8") for path in sorted(folder.rglob("*.html")))
    parameters = {
        *re.findall(r'(?:query_params|asked|given)\.get(?:list)?\(\s*"([\w-]+)"', source),
        *re.findall(r'name="([\w-]+)"', forms),
        *(name for kind in schema.by_kind for name in facets_of(schema, classes_of(schema, kind))),
        *("query", "update", "default-graph-uri", "named-graph-uri", "timeout", "format", "page"),
    }
    headers = {
        *re.findall(r'headers\.get(?:list)?\(\s*"([\w-]+)"', source),
        *("accept", "accept-encoding", "accept-language", "origin", "x-forwarded-proto"),
        *("access-control-request-method", "access-control-request-headers", "host", "range"),
    }
    return Words(tuple(found), tuple(sorted(parameters)), tuple(sorted(headers)))


def requests(known: Words) -> st.SearchStrategy[Asked]:
    """Give requests: most of them nearly right, since nothing else gets far."""
    return st.builds(
        _asked,
        st.sampled_from(known.addresses),
        st.sampled_from((OWN,) * 20 + METHODS),
        st.tuples(_entities(), _suffixes(), _texts(), _values()),
        st.lists(st.tuples(_mostly(known.parameters), _values()), max_size=5),
        st.lists(st.tuples(_mostly(known.headers), _header_values()), max_size=5),
        st.one_of(st.just(b""), _bodies()),
    )


def _asked(
    address: tuple[str, tuple[str, ...]],
    method: str,
    parts: tuple[tuple[str, str], str, str, str],
    parameters: list[tuple[str, str]],
    headers: list[tuple[str, bytes]],
    body: bytes,
) -> Asked:
    template, methods = address
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in parameters)
    return Asked(
        methods[len(body) % len(methods)] if method == OWN else method,
        _filled(template, parts).encode("ascii"),
        query.encode("ascii"),
        tuple((name.lower().encode("latin-1", "replace"), value) for name, value in headers),
        body,
    )


def _filled(template: str, parts: tuple[tuple[str, str], str, str, str]) -> str:
    (kind, key), suffix, text, value = parts
    filling: Mapping[str, str] = {
        "kind": kind,
        "key": key,
        "key:key": key,
        "name": f"{key}.{suffix}" if template.startswith("/doc/") else f"{kind}.{suffix}",
        "suffix": suffix,
        "rest:path": value,
        "name:path": value,
    }
    return re.sub(r"\{([\w:]+)\}", lambda part: _quoted(filling.get(part[1], text)), template)


def _quoted(text: str) -> str:
    return text if _AS_IT_IS.fullmatch(text) else quote(text, safe="/:+", errors="surrogatepass")


_AS_IT_IS = re.compile(r"(?:[\w.~/:+-]|%)*", re.ASCII)  # half an escape is sent as it is


def _mostly(names: Sequence[str]) -> st.SearchStrategy[str]:
    other = st.from_regex(re.compile(r"[a-z-]{1,20}", re.ASCII), fullmatch=True)
    return st.one_of(st.sampled_from(names), st.sampled_from(names), other)


def _texts() -> st.SearchStrategy[str]:
    return st.one_of(
        st.text(max_size=40),
        st.sampled_from(("a" * 3000, "../" * 500, "%", "%zz", "%ff%fe", "%00", "\ufeff", "é")),
    )


def _numbers() -> st.SearchStrategy[str]:
    ordinary = st.integers(-2, 60).map(str)
    return st.one_of(
        ordinary,
        st.integers(-(10**30), 10**30).map(str),
        st.integers(1, 5000).map(lambda size: "9" * size),
        st.floats().map(str),
        st.dates().map(str),
        st.sampled_from(("٣", "²", "1_0", "+1", " 1", "0x1", "1e9", "00000000012345678901")),
    )


def _entities() -> st.SearchStrategy[tuple[str, str]]:
    known = st.sampled_from(ENTITIES)
    return st.one_of(known, known, known, st.tuples(_texts(), _texts()))


def _suffixes() -> st.SearchStrategy[str]:
    known = st.sampled_from(SUFFIXES + FURTHER)
    return st.one_of(known, known, known, st.text(max_size=5))


def _values() -> st.SearchStrategy[str]:
    keys = [f"{kind}/{key}" for kind, key in ENTITIES]
    return st.one_of(
        _numbers(),
        _texts(),
        st.sampled_from((*QUERIES, *keys, "fr", "en", "1", "json", "html", "essai", "ns/porteur")),
        st.sampled_from(
            ("commune", "organisation", "engagement", "https://w3id.org/thc/ns#porteur")
        ),
    )


def _header_values() -> st.SearchStrategy[bytes]:
    weights = st.sampled_from(("", ";q=0", ";q=.9", ";q=1.5", ";q=x", "; charset=utf-16", ";a=b"))
    ranges = st.tuples(st.sampled_from(MEDIA_TYPES), weights).map("".join)
    lists = st.lists(ranges, max_size=6).map(lambda them: ", ".join(them).encode())
    ordinary = (b"gzip, br;q=0.5, *;q=0", b"fr;q=.3, en", b"*", b"bytes=0-1,5-", b'"x", W/"y"')
    return st.one_of(
        lists,
        st.sampled_from((*ordinary, HOST.encode(), b"https", b"null", b"identity;q=0")),
        st.binary(max_size=60).map(
            lambda raw: bytes(each for each in raw if each not in b"\r\n\0")
        ),
        st.sampled_from((b"a," + b" " * 3000, b";" * 3000, b"," * 3000, b'"' * 3000, b"=" * 3000)),
    )


def _bodies() -> st.SearchStrategy[bytes]:
    forms = st.tuples(st.sampled_from(("query", "update", "x")), _values()).map(
        lambda pair: f"{pair[0]}={_quoted(pair[1])}".encode()
    )
    return st.one_of(st.binary(max_size=200), forms, st.sampled_from(QUERIES).map(str.encode))


# Over a wire: the same requests, cut, doubled and framed by other rules


def wired(known: Words) -> st.SearchStrategy[bytes]:
    """Give bytes of a connection: requests, with lines and frames that may be wrong."""
    return st.builds(
        _written,
        requests(known),
        st.sampled_from((b"HTTP/1.1",) * 6 + (b"HTTP/1.0", b"HTTP/2", b"HTP/1.1", b"")),
        st.one_of(st.just([]), st.lists(_lines(), max_size=3)),
        st.sampled_from(("length", "length", "chunks", "none", "wrong", "torn")),
    )


def _lines() -> st.SearchStrategy[bytes]:
    return st.one_of(st.sampled_from(_LINES), st.sampled_from(_LINES), st.binary(max_size=40))


_LINES = (
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Content-Length: 3",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Expect: 100-continue",
    b"Host: " + HOST.encode(),
    b"Upgrade: h2c",
    b" folded",
    b": nameless",
    b"X\xff: y",
)


def _written(asked: Asked, version: bytes, lines: list[bytes], frame: str) -> bytes:
    target = asked.path + (b"?" + asked.query if asked.query else b"")
    headers = [name + b": " + value for name, value in asked.headers]
    head = [b" ".join((asked.method.encode(), target, version)), b"Host: localhost", *headers]
    framing, body = _FRAMES[frame](asked.body)
    return b"\r\n".join([*head, *lines, *framing, b"Connection: close", b"", b""]) + body


_FRAMES = {
    "none": lambda body: ([], body),
    "length": lambda body: ([b"Content-Length: %d" % len(body)], body),
    "wrong": lambda body: ([b"Content-Length: %d" % (len(body) // 2)], body),
    "torn": lambda body: ([b"Transfer-Encoding: chunked"], b"%x\r\n%b\r\n0" % (len(body), body)),
    "chunks": lambda body: (
        [b"Transfer-Encoding: chunked"],
        b"%x\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n",
    ),
}
