"""Entities, straight from a store in this process."""

from collections.abc import Awaitable, Callable, Hashable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Store, Triple, parse

from thc_graph.entities.describing import (
    INCOMING,
    citations,
    citing,
    describe,
    facts,
    incoming,
    labels,
    summary,
    triples,
)
from thc_graph.entities.model import Entity
from thc_graph.instance.settings import resources
from thc_graph.rdf.terms import RDFS, THC, Term
from thc_graph.schema.reading import read_schema
from thc_graph.store.library import Library, Value

pytestmark = pytest.mark.anyio

FIXTURES = Path(__file__).parents[1] / "fixtures"
BASE = "https://data.thc.example/id/"
MULHOUSE = NamedNode(BASE + "commune/68224")
Made = TypeVar("Made")


class InProcess:
    """A reader whose store is at hand: for data too small to need a process of its own."""

    schema = read_schema(FIXTURES / "schema")

    def __init__(self, library: Library, more: str = "") -> None:
        self.library = library
        self.store = Store()
        text = (FIXTURES / "data" / "small.ttl").read_text("utf-8") + more
        self.store.extend(Quad(*quad.triple) for quad in parse(text, format=RdfFormat.TURTLE))
        self.made: dict[Hashable, Any] = {}

    async def bindings(self, name: str, **terms: Value | Iterable[Value]) -> list[dict[str, Term]]:
        found: Any = self.store.query(self.library.fill(name, **terms))
        names = [each.value for each in found.variables]
        return [{n: row[n] for n in names if row[n] is not None} for row in found]

    async def graph(self, name: str, **terms: Value | Iterable[Value]) -> list[Triple]:
        found: Any = self.store.query(self.library.fill(name, **terms))
        return list(found)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> Made:
        if key not in self.made:
            self.made[key] = await make()
        found: Made = self.made[key]
        return found


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def reader() -> InProcess:
    return InProcess(Library(resources().queries_folder))


def names(entity: Entity) -> list[str]:
    return [each.name for each in entity.fields]


def texts(entity: Entity, name: str) -> list[str]:
    (field,) = [each for each in entity.fields if each.name == name]
    return [str(getattr(value.label or value.term, "value", "")) for value in field.values]


async def found(reader: InProcess, iri: NamedNode, language: str = "fr") -> Entity:
    told, cited = await facts(reader, iri), await citations(reader, iri)
    return await describe(reader, iri, told, cited, language)


async def test_facts_stand_under_the_groups_of_the_shapes(reader: InProcess) -> None:
    entity = await found(reader, MULHOUSE)
    assert entity.label == Literal("Mulhouse", language="fr")
    assert [each.label for each in entity.groups] == ["Identité", "Localisation", "Liens", ""]
    assert names(entity) == [
        "Nom",
        "Code INSEE",
        "Population",
        "Présentation",
        "Département",
        "Équivalents (liens)",
        "Wikidata",
        "",
    ]
    assert texts(entity, "Nom") == ["Mülhausen"]
    assert texts(entity, "Département") == ["Haut-Rhin"]


async def test_no_fact_is_left_out_or_told_twice(reader: InProcess) -> None:
    entity = await found(reader, MULHOUSE)
    told = [(each.property, value.term) for each in entity.fields for value in each.values]
    held = [
        (quad.predicate, quad.object)
        for quad in reader.store.quads_for_pattern(MULHOUSE, None, None)
    ]
    missing = set(held) - set(told)
    assert {predicate.value.rpartition("#")[2] for predicate, _ in missing} == {"type", "label"}
    assert len(told) == len(set(told))


async def test_links_of_one_property_go_to_their_own_lines(reader: InProcess) -> None:
    entity = await found(reader, MULHOUSE)
    assert texts(entity, "Wikidata") == ["http://www.wikidata.org/entity/Q79815"]
    assert texts(entity, "Équivalents (liens)") == ["https://www.mulhouse.fr/"]


async def test_english_readers_get_english_where_there_is_some(reader: InProcess) -> None:
    entity = await found(reader, MULHOUSE, "en")
    assert names(entity)[:2] == ["Name", "INSEE code"]
    assert [each.label for each in entity.classes] == [Literal("municipality", language="en")]
    assert entity.label == Literal("Mulhouse", language="fr")


async def test_a_territory_is_told_with_its_authority_and_adhesion(reader: InProcess) -> None:
    entity = await found(reader, MULHOUSE)
    told = {each.iri.value.removeprefix(BASE): names(each) for each in entity.companions}
    assert told["collectivite/216802249"][0] == "SIREN"
    assert "adhesion/216802249-reseau" in told


async def test_what_points_here_is_counted(reader: InProcess) -> None:
    entity = await found(reader, NamedNode(BASE + "departement/68"))
    (citation,) = entity.incoming
    assert (citation.property, citation.name) == (THC["departement"], "département")
    assert (citation.kind, citation.count) == ("commune", 2)
    assert {value.term for value in citation.named} == {
        MULHOUSE,
        NamedNode(BASE + "commune/26289"),
    }


TWICE = """
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix thc: <https://w3id.org/thc/ns#> .
@prefix c: <https://data.thc.example/id/commune/> .
@prefix r: <https://data.thc.example/id/region/> .
thc:region rdfs:subPropertyOf thc:situeDans .
c:1 thc:region r:99 ; thc:situeDans r:99 .
c:2 thc:situeDans r:99 .
"""


async def test_a_link_that_a_narrower_one_tells_is_counted_once() -> None:
    reader = InProcess(Library(resources().queries_folder), TWICE)
    region = NamedNode(BASE + "region/99")
    rows = await reader.bindings("entity/citations", entity=region)
    counts = {(row["property"], int(row["count"].value)) for row in rows}  # type: ignore[union-attr]
    assert counts == {(THC["region"], 1), (THC["situeDans"], 1)}
    through = THC["situeDans"], "commune"
    found = await citing(reader, region, [through])
    assert found == {through: [NamedNode(BASE + "commune/2")]}


async def test_an_answer_knows_when_more_points_here() -> None:
    for more, is_cut in ((0, False), (1, True)):
        lines = (f"<x:{n:04}> <x:p> <x:here> ." for n in range(INCOMING + more))
        reader = InProcess(Library(resources().queries_folder), "\n".join(lines))
        found, told = await triples(reader, [], await incoming(reader, NamedNode("x:here")))
        assert (len(found), told) == (INCOMING, is_cut)
        assert found[-1].subject == NamedNode(f"x:{INCOMING - 1:04}")


async def test_nothing_is_published_about_it(reader: InProcess) -> None:
    nowhere = NamedNode(BASE + "commune/99999")
    assert await facts(reader, nowhere) == []
    assert await summary(reader, nowhere, "fr") is None


async def test_triples_name_what_they_speak_of(reader: InProcess) -> None:
    told, pointing = await facts(reader, MULHOUSE), await incoming(reader, MULHOUSE)
    held, _ = await triples(reader, told, pointing)
    haut_rhin = NamedNode(BASE + "departement/68")
    assert Triple(haut_rhin, RDFS["label"], Literal("Haut-Rhin", language="fr")) in held
    siren = Triple(NamedNode(BASE + "collectivite/216802249"), THC["siren"], Literal("216802249"))
    assert siren in held
    assert len(held) == len(set(held))


async def test_names_are_asked_for_once_for_a_snapshot(reader: InProcess) -> None:
    haut_rhin, unheard = NamedNode(BASE + "departement/68"), NamedNode(BASE + "departement/00")
    first = await labels(reader, [haut_rhin, unheard, haut_rhin])
    reader.store.clear()
    assert await labels(reader, [unheard, haut_rhin]) == first
    assert {each.subject for each in first} == {haut_rhin}


async def test_a_kind_may_have_a_query_of_its_own(tmp_path: Path) -> None:
    ours = resources().queries_folder
    for path in ours.glob("entity/*.rq"):
        (tmp_path / "entity" / "kind").mkdir(parents=True, exist_ok=True)
        (tmp_path / "entity" / path.name).write_text(path.read_text("utf-8"), "utf-8")
    own = "CONSTRUCT { ?entity a <urn:own> } WHERE { VALUES ?entity { UNDEF } ?entity a ?class }"
    (tmp_path / "entity" / "kind" / "commune.rq").write_text(own, "utf-8")
    entity = await found(InProcess(Library(tmp_path)), MULHOUSE)
    assert [each.term for each in entity.classes] == [NamedNode("urn:own")]
