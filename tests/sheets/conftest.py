"""A small published graph: the lists, a few real territories, one plan of an invented place."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pyoxigraph import Quad, Store

from thc_graph.instance.settings import resources
from thc_graph.names.lexicon import Lexicon, of_store
from thc_graph.names.names import Names
from thc_graph.names.published import departement
from thc_graph.schema.model import Schema
from thc_graph.schema.reading import read_schema, read_triples
from thc_graph.sheets.imports.conversion import convert_all
from thc_graph.sheets.imports.converted import Conversion
from thc_graph.sheets.imports.datasets import Dataset, Input
from thc_graph.sheets.imports.recognition import recognise
from thc_graph.sheets.problems import Problem, Severity
from thc_graph.store.library import Library

BASE = "https://data.thc.example"
LIBRARY = Library(resources().queries_folder)

TERRITORIES = """\
Type de territoire;Code INSEE;Nom;Dép;Région;Anciens codes;SIREN;Collectivité;Type de collectivité
région;44;Grand Est;;;;;;
région;84;Auvergne-Rhône-Alpes;;;;;;
département;68;Haut-Rhin;;44;;;;
département;26;Drôme;;84;;;;
département;33;Gironde;;;;;;
département;44;Loire-Atlantique;;;;;;
département;2A;Corse-du-Sud;;;20;;;
commune;68224;Mulhouse;68;44;68048;216802249;Mulhouse;commune
commune;68066;Colmar;68;44;;;;
commune;01001;L’Abergement-Clémenciat;;84;;;;
commune;2A004;Ajaccio;2A;;20004;;;
commune;26289;Saillans;26;84;;;;
commune;33364;Saillans;33;;;;;
commune;75056;Paris;;;;;;
arrondissement municipal;75104;Paris 4e Arrondissement;;;;;;
"""
ACTORS = (
    "Identifiant;Nature;Nom;Type d'acteur\nville-exemple;organisation;Ville d’Exemple;association\n"
)
PLANS = "Identifiant;Plan d'action;Auteur du plan\nplan-exemple;Plan d’Exemple;Ville d’Exemple\n"
COMMITMENTS = """\
Plan d'action;Réf.;Engagement;Collectivité
Plan d’Exemple;S1;Ouvrir les données;Ville d’Exemple
"""

Read = Callable[..., tuple[list[Conversion], list[Problem]]]


@pytest.fixture(scope="session")
def schema() -> Schema:
    return read_schema(resources().ontology_folder, resources().shapes_folder)


@pytest.fixture(scope="session")
def published(schema: Schema, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store()
    for path in resources().ontology_folder.rglob("*.ttl"):
        store.extend(Quad(t.subject, t.predicate, t.object) for t in read_triples(path))
    folder = tmp_path_factory.mktemp("published")
    for name, text in (("t", TERRITORIES), ("a", ACTORS), ("p", PLANS), ("e", COMMITMENTS)):
        path = folder / f"{name}.csv"
        path.write_text(text, "utf-8")
        (found,), _ = convert_files([path], schema, store, of_store(store, LIBRARY))
        assert all(p.severity is not Severity.ERROR for p in found.problems), found.problems
        store.extend(Quad(q.subject, q.predicate, q.object) for q in found.quads)
    return store


def convert_files(
    paths: list[Path], schema: Schema, store: Store, found: Lexicon, **facts: object
) -> tuple[list[Conversion], list[Problem]]:
    names = Names(schema, BASE, found, partial(departement, store))
    files = [Input(path, Dataset("essai"), **facts) for path in paths]
    given, problems = recognise(files, schema, BASE)
    return convert_all(given, names, schema), problems


@pytest.fixture(scope="session")
def lexicon(published: Store) -> Lexicon:
    return of_store(published, LIBRARY)


@pytest.fixture
def read(schema: Schema, published: Store, lexicon: Lexicon) -> Read:
    """Read files over the small published graph."""

    def reading(*paths: Path, **facts: object) -> tuple[list[Conversion], list[Problem]]:
        return convert_files(list(paths), schema, published, lexicon, **facts)

    return reading
