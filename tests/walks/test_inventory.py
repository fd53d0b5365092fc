"""The 149 things the programme's presentation holds are all there: in the ontology, the
schemes, the shapes or the demonstration's data.

`queries/inventory/items.csv` says what each becomes, a triple a line (an empty cell is
anything); what takes more than a triple has a query named after it.
"""

import csv
import re
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, QueryBoolean, RdfFormat, Store

from thc_graph.store.library import Library

BASE = "https://data.thc.example"
ROOT = Path(__file__).parents[2]
QUERIES = ROOT / "queries"
LIBRARY = Library(QUERIES)
ITEMS = 149

SCHEME = "https://w3id.org/thc/"
NAMESPACES = {
    "thc": "https://w3id.org/thc/ns#",
    "do": f"{SCHEME}democratie-ouverte/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "http://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "void": "http://rdfs.org/ns/void#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
LITERAL = re.compile(r'"(?P<value>.*)"(?:@(?P<language>\w+)|\^\^(?P<datatype>\S+))?')


@pytest.fixture(scope="module")
def graph(demo_store: Store) -> Store:
    """The published graph, which holds ontology, schemes and data, with the shapes beside it."""
    whole = Store()
    whole.bulk_extend(demo_store)
    for path in (ROOT / "shapes").glob("*.ttl"):
        whole.bulk_load(
            path=str(path), format=RdfFormat.TURTLE, to_graph=NamedNode(f"{BASE}/shapes")
        )
    return whole


def rows() -> list[dict[str, str]]:
    with (QUERIES / "inventory" / "items.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def named(row: dict[str, str]) -> str:
    return f"{row['id']} {row['subject']} {row['predicate']} {row['object'][:40]}".rstrip()


def node(text: str) -> NamedNode:
    """Read `<iri>`, `id/kind/key` or a prefixed name; `thc-role:x` is of the scheme `role`."""
    if text.startswith("<"):
        return NamedNode(text[1:-1])
    if text.startswith("id/"):
        return NamedNode(f"{BASE}/{text}")
    prefix, _, local = text.partition(":")
    if prefix.startswith("thc-"):
        return NamedNode(f"{SCHEME}{prefix.removeprefix('thc-')}/{local}")
    return NamedNode(NAMESPACES[prefix] + local)


def term(text: str) -> NamedNode | Literal:
    found = LITERAL.fullmatch(text)
    if not found:
        return node(text)
    datatype = node(found["datatype"]) if found["datatype"] else None
    return Literal(found["value"], language=found["language"], datatype=datatype)


def asked(store: Store, name: str, **filled: NamedNode | Literal) -> bool:
    answer = store.query(LIBRARY.fill(name, **filled), use_default_graph_as_union=True)
    assert isinstance(answer, QueryBoolean)
    return bool(answer)


@pytest.mark.parametrize("row", rows(), ids=named)
def test_item_stands_in_the_graph(graph: Store, row: dict[str, str]) -> None:
    filled = {slot: term(row[slot]) for slot in ("subject", "predicate", "object") if row[slot]}

    assert asked(graph, "inventory/triple", **filled)


OWN_QUERIES = tuple(n for n in LIBRARY.names("inventory") if re.search(r"/S\d{3}$", n))


@pytest.mark.parametrize("name", OWN_QUERIES)
def test_item_that_takes_more_than_a_triple(graph: Store, name: str) -> None:
    assert asked(graph, name)


def test_no_item_is_left_out() -> None:
    covered = {row["id"] for row in rows()} | {name[-4:] for name in OWN_QUERIES}

    assert covered == {f"S{number:03}" for number in range(1, ITEMS + 1)}
