"""The child alone: its syntaxes whole when cut, its XML well-formed, its imports few."""

import csv
import io
import json
import os
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pyoxigraph
import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple

from thc_graph.processes.parent import PLACES
from thc_graph.store.engine import query_child, results

SELECT = "SELECT ?s ?o { ?s ?p ?o }"
CONSTRUCT = "CONSTRUCT WHERE { ?s ?p ?o }"
LIMIT = 64 * 1024
ROWS = 3000
# Text that looks like the end of a row in every syntax.
AWKWARD = '"},{"x":\r\n</result></results>\\"},{},\n, \'""\t<http://e/> .\n'


def request(text: str, *media_types: str, **more: Any) -> dict[str, Any]:
    base = {
        "base": None,
        "default_graphs": None,
        "named_graphs": None,
        "prefixes": {},
        "max_bytes": LIMIT,
    }
    return {"text": text, "media_types": media_types} | base | more


@pytest.fixture(scope="module")
def large() -> Store:
    store = Store()
    predicate = NamedNode("http://e/p")
    store.extend(
        Quad(NamedNode(f"http://e/{n}"), predicate, Literal(f"{n} {AWKWARD}")) for n in range(ROWS)
    )
    return store


def only(value: Literal) -> Store:
    store = Store()
    store.add(Quad(NamedNode("http://e/s"), NamedNode("http://e/p"), value))
    return store


def rows(body: bytes, media_type: str) -> list[str]:
    """Read a result as a stranger would, without pyoxigraph; return its literals."""
    if media_type == results.JSON:
        return [row["o"]["value"] for row in json.loads(body)["results"]["bindings"]]
    if media_type == results.XML:
        name = "{http://www.w3.org/2005/sparql-results#}literal"
        return [found.text or "" for found in ET.fromstring(body).iter(name)]  # noqa: S314
    if media_type == results.CSV:
        return [row[1] for row in csv.reader(io.StringIO(body.decode(), newline=""))][1:]
    lines = body.decode().removesuffix("\n").split("\n")[1:]
    return [unescape(line.split("\t")[1]) for line in lines]


def unescape(literal: str) -> str:
    quad = next(iter(pyoxigraph.parse(f"<a:a> <a:b> {literal} .".encode(), RdfFormat.TURTLE)))
    return quad.object.value


@pytest.mark.parametrize("media_type", list(results.BINDINGS))
def test_bindings_are_cut_at_a_whole_row(large: Store, media_type: str) -> None:
    header, body = query_child.answer(large, request(SELECT, media_type))
    found = rows(body, media_type)
    assert header["truncated"]
    assert header["length"] == len(body) <= LIMIT
    assert len(body) > LIMIT * 0.9
    assert 0 < len(found) < ROWS
    assert all(value.endswith(AWKWARD) for value in found)


@pytest.mark.parametrize("media_type", list(results.BINDINGS))
@pytest.mark.parametrize("limit", range(600, 1000, 23))
def test_bindings_may_be_cut_anywhere(large: Store, media_type: str, limit: int) -> None:
    _, body = query_child.answer(large, request(SELECT, media_type, max_bytes=limit))
    assert all(value.endswith(AWKWARD) for value in rows(body, media_type))


@pytest.mark.parametrize("media_type", list(results.BINDINGS))
def test_one_row_past_the_limit_leaves_none(media_type: str) -> None:
    store = only(Literal("x" * 2 * LIMIT))
    header, body = query_child.answer(store, request(SELECT, media_type))
    assert header["truncated"]
    assert rows(body, media_type) == []


@pytest.mark.parametrize("media_type", list(results.BINDINGS))
def test_bindings_below_the_limit_are_whole(large: Store, media_type: str) -> None:
    header, body = query_child.answer(
        large, request(SELECT, media_type, max_bytes=10 * 1024 * 1024)
    )
    assert not header["truncated"]
    assert len(rows(body, media_type)) == ROWS


@pytest.mark.parametrize("media_type", list(results.GRAPHS))
def test_graphs_are_cut_at_a_whole_triple(large: Store, media_type: str) -> None:
    header, body = query_child.answer(
        large, request(CONSTRUCT, media_type, prefixes={"e": "http://e/"})
    )
    quads = list(pyoxigraph.parse(body, results.GRAPHS[media_type]))
    assert header["truncated"]
    assert LIMIT * 0.7 < len(body) <= LIMIT
    assert 0 < len(quads) < ROWS
    assert all(quad.object.value.endswith(AWKWARD) for quad in quads)


def test_prefixes_shorten_iris(large: Store) -> None:
    _, body = query_child.answer(
        large, request(CONSTRUCT, "text/turtle", prefixes={"e": "http://e/"})
    )
    assert b"@prefix e: <http://e/>" in body
    assert b"e:p" in body


@pytest.mark.parametrize("code", [*range(1, 32), 0x7F, 0x85, 0xFFFD, 0xFFFE, 0xFFFF, 0x1FFFF])
def test_xml_is_well_formed_whatever_a_literal_holds(code: int) -> None:
    store = only(Literal(f"a{chr(code)}b ]]> &"))
    for text, media_type in ((SELECT, results.XML), (CONSTRUCT, results.RDF_XML)):
        _, body = query_child.answer(store, request(text, media_type))
        texts = "".join(ET.fromstring(body).itertext())  # noqa: S314
        legal = code in (9, 10, 13) or (code >= 32 and code not in (0xFFFE, 0xFFFF))
        expected = chr(code) if legal else "\ufffd"
        assert f"a{expected}b ]]> &" in texts


def test_illegal_characters_do_not_pass_the_limit() -> None:
    store = only(Literal("\x01" * (LIMIT - 2000)))
    _, body = query_child.answer(store, request(SELECT, results.XML))
    assert len(body) <= LIMIT
    ET.fromstring(body)  # noqa: S314


@pytest.mark.parametrize("end", ["", "1", "a/1", "?x=", "é%C3"])
def test_a_predicate_that_rdf_xml_cannot_name_is_not_acceptable(end: str) -> None:
    store = Store()
    predicate = NamedNode(f"http://e/{end}")
    store.add(Quad(NamedNode("http://e/s"), predicate, Literal("x")))
    header, body = query_child.answer(store, request(CONSTRUCT, results.RDF_XML))
    if header["kind"] == "answer":  # some end in a name all the same
        assert next(iter(pyoxigraph.parse(body, RdfFormat.RDF_XML))).predicate == predicate
        ET.fromstring(body)  # noqa: S314
    else:
        assert header["kind"] == "not-acceptable"
        assert "text/turtle" in header["offered"]
        assert results.RDF_XML not in header["offered"]


@pytest.mark.parametrize("prefix", ["http://e/na", "http://e/name", "http://e/", "http://e/name/"])
def test_rdf_xml_is_well_formed_whatever_the_prefixes(prefix: str) -> None:
    store = Store()
    for end in ("name", "name-1", "name/b", "1/b"):
        store.add(Quad(NamedNode("http://e/s"), NamedNode(f"http://e/{end}"), Literal("x")))
    asked = request(CONSTRUCT, results.RDF_XML, prefixes={"e": prefix})
    _, body = query_child.answer(store, asked)
    ET.fromstring(body)  # noqa: S314
    assert len(list(pyoxigraph.parse(body, RdfFormat.RDF_XML))) == 4


def test_a_triple_term_is_not_for_json_ld() -> None:
    term = Triple(NamedNode("http://e/s"), NamedNode("http://e/p"), Literal("x"))
    store = Store()
    store.add(Quad(NamedNode("http://e/s"), NamedNode("http://e/p"), term))
    header, _ = query_child.answer(store, request(CONSTRUCT, results.JSON_LD))
    assert header["kind"] == "not-acceptable"


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        (SELECT, ("text/turtle", results.CSV, results.JSON), results.CSV),
        ("ASK {}", ("text/turtle", results.XML), results.XML),
        (CONSTRUCT, (results.JSON, "application/n-triples"), "application/n-triples"),
        ("DESCRIBE <http://e/1>", (results.JSON, results.JSON_LD), results.JSON_LD),
    ],
)
def test_the_first_type_that_fits_is_used(
    large: Store, text: str, asked: tuple[str, ...], expected: str
) -> None:
    header, _ = query_child.answer(large, request(text, *asked))
    assert header["media_type"] == expected


@pytest.mark.parametrize(
    ("text", "offered"), [(SELECT, results.BINDINGS), (CONSTRUCT, results.GRAPHS)]
)
def test_no_type_that_fits(large: Store, text: str, offered: Mapping[str, object]) -> None:
    header, _ = query_child.answer(large, request(text, "image/png"))
    assert header == {"kind": "not-acceptable", "offered": list(offered)}


def test_a_syntax_error_has_its_place(large: Store) -> None:
    header, _ = query_child.answer(large, request("SELECT *\n{ ?s ?p }", results.JSON))
    assert (header["kind"], header["line"], header["column"]) == ("syntax", 2, 10)
    assert header["message"].startswith("expected")


def test_a_bad_graph_name_is_told_as_a_fault(large: Store) -> None:
    header, _ = query_child.answer(
        large, request(SELECT, results.JSON, default_graphs=["not an IRI"])
    )
    assert header["kind"] == "other"


def test_several_default_graphs_are_one_set() -> None:
    store = Store()
    for graph in ("http://g/1", "http://g/2", "http://g/3"):
        store.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <a:a> <a:b> 1 }} }}")
    graphs = {"default_graphs": ["http://g/1", "http://g/2"], "named_graphs": ["http://g/3"]}
    for text, expected in (
        ("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", b"n\r\n1\r\n"),
        ("SELECT ?g { GRAPH ?g { ?s ?p ?o } }", b"g\r\nhttp://g/3\r\n"),
        ("SELECT ?g FROM <http://g/3> { GRAPH ?g { ?s ?p ?o } }", b"g\r\nhttp://g/3\r\n"),
    ):
        assert query_child.answer(store, request(text, results.CSV, **graphs))[1] == expected


@pytest.mark.parametrize(
    ("graphs", "default", "named"),
    [
        ({}, b"2", b"1"),
        ({"default_graphs": ["http://g/1"]}, b"1", b"0"),
        ({"named_graphs": ["http://g/1"]}, b"0", b"1"),
        ({"default_graphs": [], "named_graphs": []}, b"0", b"0"),
    ],
)
def test_the_dataset_of_the_request(graphs: dict[str, Any], default: bytes, named: bytes) -> None:
    store = Store()
    store.update("INSERT DATA { <a:a> <a:b> 1, 2 GRAPH <http://g/1> { <a:a> <a:b> 3 } }")
    count = "SELECT (COUNT(*) AS ?n) {{ {} }}"
    for pattern, expected in (("?s ?p ?o", default), ("GRAPH ?g { ?s ?p ?o }", named)):
        _, body = query_child.answer(store, request(count.format(pattern), results.CSV, **graphs))
        assert body == b"n\r\n" + expected + b"\r\n"


# What the child needs of ours, and the folders it stands in.
OURS = {
    "thc_graph",
    "thc_graph.processes",
    "thc_graph.processes.frames",
    "thc_graph.processes.walls",
    "thc_graph.store",
    "thc_graph.store.engine",
    "thc_graph.store.engine.results",
}


def run_worker(snapshot: Path, *flags: str, parent: int | None = None) -> tuple[bytes, str, int]:
    """Start the program as the pool does, with nothing to read; return stdout, stderr, code."""
    options = {
        "snapshot": str(snapshot),
        "memory": 1 << 30,
        "nice": 0,
        "parent": parent or os.getpid(),
    }
    program = [sys.executable, "-I", "-S", *flags, query_child.__file__, PLACES]
    run = subprocess.run(
        [*program, json.dumps(options)], input=b"", capture_output=True, check=False, timeout=60
    )
    return run.stdout, run.stderr.decode(), run.returncode


def frame(output: bytes) -> dict[str, Any]:
    size = struct.unpack(">I", output[:4])[0]
    header: dict[str, Any] = json.loads(output[4 : 4 + size])
    return header


def test_the_program_imports_the_engine_and_little_of_ours(tmp_path: Path) -> None:
    Store(tmp_path / "store").backup(tmp_path / "snapshot")
    output, imports, code = run_worker(tmp_path / "snapshot", "-X", "importtime")
    assert (frame(output)["kind"], code) == ("ready", 0)
    names = {line.rpartition("|")[2].strip() for line in imports.splitlines()}
    tops = {name.partition(".")[0] for name in names}
    assert "pyoxigraph" in names
    assert not tops & {"starlette", "rdflib", "pyshacl", "site", "importlib.metadata"}
    assert {name for name in names if name.startswith("thc_graph")} <= OURS


def test_a_missing_snapshot_is_told(tmp_path: Path) -> None:
    output, _, _ = run_worker(tmp_path / "nothing")
    assert frame(output)["kind"] == "broken"


def test_an_orphan_ends_at_once(tmp_path: Path) -> None:
    output, _, code = run_worker(tmp_path, parent=1 << 30)
    assert (output, code) == (b"", 1)
