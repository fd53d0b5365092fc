"""Validation on a neighbourhood: the shapes as shipped, a few triples by hand."""

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from thc_graph.instance.settings import resources
from thc_graph.rdf.terms import RDFS, SH, THC, XSD, A
from thc_graph.schema.model import Schema
from thc_graph.schema.reading import read_schema
from thc_graph.schema.reports import Violation
from thc_graph.schema.validation import violations

X, Y = NamedNode("https://x/a"), NamedNode("https://x/b")
CODE = NamedNode("http://rdf.insee.fr/def/geo#codeINSEE")
NAME = Triple(X, RDFS["label"], Literal("Mulhouse", language="fr"))
GOOD = [Triple(X, A, THC["Commune"]), NAME, Triple(X, CODE, Literal("68224"))]


@pytest.fixture(scope="module")
def schema() -> Schema:
    found = resources()
    return read_schema(found.ontology_folder, found.shapes_folder)


def check(schema: Schema, *triples: Triple) -> list[Violation]:
    def describe(nodes):
        wanted = set(nodes)
        return [triple for triple in triples if triple.subject in wanted]

    return violations({X}, describe, schema)


def test_a_good_commune_has_nothing_to_say(schema: Schema) -> None:
    assert check(schema, *GOOD) == []


@pytest.mark.parametrize(
    ("triples", "path"),
    [
        ([GOOD[0], NAME], CODE),
        ([*GOOD[:2], Triple(X, CODE, Literal("6822"))], CODE),
        ([GOOD[0], GOOD[2]], RDFS["label"]),
        ([*GOOD, Triple(X, THC["departement"], Y)], THC["departement"]),
        (
            [*GOOD, Triple(X, THC["population"], Literal("beaucoup", datatype=XSD["string"]))],
            THC["population"],
        ),
    ],
)
def test_a_fault_is_found_where_it_stands(
    schema: Schema, triples: list[Triple], path: NamedNode
) -> None:
    found = check(schema, *triples)
    assert {(each.focus, each.path, each.severity) for each in found} == {
        (X, path, SH["Violation"])
    }
    assert all(each.message.fr and each.message.en for each in found)


def test_a_value_is_known_by_its_own_facts(schema: Schema) -> None:
    link = Triple(X, THC["departement"], Y)
    assert check(schema, *GOOD, link, Triple(Y, A, THC["Departement"])) == []
