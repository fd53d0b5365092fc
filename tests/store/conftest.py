"""Two small stores: one under rules, one in conformance mode."""

from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from thc_graph.instance.settings import Settings, resources
from thc_graph.rdf.changes import ChangeSet
from thc_graph.schema.reading import read_schema
from thc_graph.schema.validation import Accepted
from thc_graph.store.library import Library
from thc_graph.store.snapshots.derivation import Derivation
from thc_graph.store.writes.repository import Repository

SHAPES = Path(__file__).parents[1] / "fixtures/editing"
SOURCE = f"{Settings.base}/graph/essai/communes"
COMMUNE = "<https://data.thc.example/id/commune/68224>"
NAME = NamedNode(SOURCE)
RDFS_LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


def publish(repository: Repository, quads: set[Quad]) -> None:
    change = ChangeSet(added=frozenset(quads))
    with repository.writing() as writer, repository.draft(change) as draft:
        outcome = repository.check(change, draft)
        assert isinstance(outcome, Accepted)
        writer.publish(draft, outcome, "essais", "Début")


@pytest.fixture
def ruled(tmp_path: Path) -> Repository:
    derivation = Derivation(Library(resources().queries_folder), Settings.base)
    repository = Repository(tmp_path / "ruled", read_schema(SHAPES), derivation)
    text = f'{COMMUNE} a <https://w3id.org/thc/ns#Commune> ; <{RDFS_LABEL}> "Mulhouse"@fr .'
    given = parse(text, format=RdfFormat.TURTLE)
    publish(repository, {Quad(*quad.triple, NAME) for quad in given})
    return repository


@pytest.fixture
def plain(tmp_path: Path) -> Repository:
    derivation = Derivation(Library(resources().queries_folder), Settings.base)
    schema = read_schema(SHAPES)
    repository = Repository(tmp_path / "plain", schema, derivation, union=False, ruled=False)
    publish(repository, set())
    return repository
