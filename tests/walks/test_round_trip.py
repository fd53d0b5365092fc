"""What is exported is read back as it stands: for every class, in every format."""

import itertools
import random
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Quad, Store

from thc_graph.rdf import iris
from thc_graph.rdf.terms import RDF, XSD, A
from thc_graph.settings import Settings
from thc_graph.sheets.columns import layout, members
from thc_graph.sheets.conversion import Given, convert_all
from thc_graph.sheets.datasets import Dataset, Input, inputs
from thc_graph.sheets.exporting import Filled, filled
from thc_graph.sheets.importing import propose
from thc_graph.sheets.names import Names
from thc_graph.sheets.pages import Page
from thc_graph.sheets.problems import Severity
from thc_graph.sheets.published import known
from thc_graph.sheets.reading import read_tables
from thc_graph.sheets.templates import Column, template
from thc_graph.sheets.workbooks import WRITERS
from thc_graph.store.publication import Repository

BASE = Settings.base
GRAPH = f"{BASE}/graph/"
FORMATS = sorted(WRITERS)

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def store(demo: Repository) -> Store:
    snapshot = demo.current()
    assert snapshot is not None
    return snapshot.store()


@pytest.fixture(scope="module")
def names(demo: Repository) -> Names:
    return known(demo.current(), demo.derivation.library, demo.schema, BASE)


def published(repository: Repository, store: Store, names: Names) -> dict[str, list[Filled]]:
    """Return the data of every dataset, a sheet each, cut so that the reference stays small."""
    found: dict[str, list[Filled]] = {}
    for graph in sorted(store.named_graphs(), key=str):
        source, _, slug = graph.value.removeprefix(GRAPH).rpartition("/")
        ours = source != "catalogue" and not iris.is_provenance(graph)
        if slug in repository.schema.sheets and ours:
            quads = store.quads_for_pattern(None, None, None, graph)
            data = filled(repository.schema.sheets[slug], repository.schema, names, quads)
            found.setdefault(source, []).append(data)
    return found


def page(data: Filled) -> Page:
    return Page(data.template, tuple(data.rows[:300]))


@pytest.mark.parametrize("form", FORMATS)
def test_published_data_come_back_as_they_stand(
    form: str, demo: Repository, store: Store, names: Names, tmp_path: Path
) -> None:
    data = published(demo, store, names)
    assert sum(map(len, data.values())) > 20
    files = []
    for source, sheets in data.items():
        assert all(each.rows and not each.omitted for each in sheets)
        groups = [[page(each)] for each in sheets] if form == ".csv" else [list(map(page, sheets))]
        for number, pages in enumerate(groups):
            path = tmp_path / f"{source}-{number}{form}"
            path.write_bytes(WRITERS[form](pages, source))
            files.extend(inputs(path, source=source))
    found = propose(files, demo, BASE)
    assert [p.as_dict("fr") for p in (*found.errors, *found.warnings)] == []
    assert not found.change, list(found.change.added)[:5]


# From an empty template, filled with made-up rows, to quads and back


TEXTS = (
    'Un « mot », une virgule; "des guillemets"',
    "Deux\nlignes",
    "-10 % d'énergie",
    "'=SOMME(1;2)",
    "+33 et @ensemble",
    "'apostrophe",
    "'=déjà gardé",
    "barre | verticale \\| échappée",
    "Œuvre d’été, n° 2",
    "007",
)


class Maker:
    """Makes up cells that a column accepts."""

    def __init__(self, schema_names: Names, repository: Repository, seed: int) -> None:
        self.names, self.schema = schema_names, repository.schema
        self.random = random.Random(seed)
        self.count = itertools.count(1)

    def row(self, columns: tuple[Column, ...], class_: NamedNode, key: str) -> list[str]:
        shapes = {each.iri for each in self.schema.properties_of(class_)}
        cells = [key]
        for column in columns[1:]:
            own = column.shape is not None and column.shape.iri in shapes
            cells.append(self.cell(column, class_) if own else "")
        return cells

    def cell(self, column: Column, class_: NamedNode) -> str:
        shape = column.shape
        assert shape is not None
        if shape.predicate == A:
            return self.schema.classes[class_].label.fr
        if shape.predicate.value.endswith("#identifier") or shape.pattern:
            return column.example
        if column.choices:
            return self.random.choice(column.choices)
        if shape.classes:
            return self.reference(column)
        for datatype, make in MAKERS.items():
            if datatype in shape.datatypes:
                return make(self)
        return f"https://example.org/{next(self.count)}"

    def reference(self, column: Column) -> str:
        assert column.shape is not None
        expected = {c for each in column.shape.classes for c in self.schema.descendants(each)}
        found = sorted(each.value for each in self.names.things(frozenset(expected)))
        return self.random.choice(found) if found else ""

    def text(self) -> str:
        return f"{self.random.choice(TEXTS)} {next(self.count)}"


MAKERS = {
    RDF["langString"]: Maker.text,
    XSD["date"]: lambda m: m.random.choice(["2014", "2014-03", "30/03/2014", "2015-12-31"]),
    XSD["gYear"]: lambda _: "2015",
    XSD["integer"]: lambda m: str(m.random.randint(1, 99)),
    XSD["decimal"]: lambda m: m.random.choice(["0,5", "1,25", "12", "40"]),
    XSD["boolean"]: lambda m: m.random.choice(["oui", "non"]),
    XSD["time"]: lambda _: "9:30",
}


def made_up(repository: Repository, names: Names) -> list[Page]:
    """Return every sheet with two rows of each of its classes."""
    schema, maker = repository.schema, Maker(names, repository, seed=7)
    pages = []
    for sheet in schema.sheets.values():
        classes = members(sheet, schema)[0].classes
        form = template(sheet, schema, ("fr", "en"), frozenset(classes))
        rows = [
            tuple(maker.row(form.columns, each, f"essai-{place}-{number}"))
            for place, each in enumerate(classes)
            for number in range(2)
        ]
        pages.append(Page(form, tuple(rows)))
    return pages


def read(path: Path, names: Names) -> dict[str, set[Quad]]:
    """Return what the tables of a file say, read by the product's own rules."""
    said = {}
    for table in read_tables(path):
        if table.name not in ("Lisez-moi", "Listes"):
            found = layout(table, names.schema)  # a template is recognised by its headings
            slug = found.sheet.slug
            graph = NamedNode(f"{GRAPH}essai/{slug}")
            given = Given(table, found, graph, Input(path, Dataset("essai")))
            conversion = next(iter(convert_all([given], names, names.schema)))
            faults = [p for p in conversion.problems if p.severity is Severity.ERROR]
            assert [each.as_dict("fr") for each in faults] == []
            said[slug] = conversion.quads
    return said


def through(pages: list[Page], form: str, folder: Path, names: Names) -> dict[str, set[Quad]]:
    """Write pages, a file each where the format asks for it, and read them."""
    groups = [[each] for each in pages] if form == ".csv" else [pages]
    said: dict[str, set[Quad]] = {}
    for group in groups:
        path = folder / f"essai{form}"
        path.write_bytes(WRITERS[form](group, "essai"))
        said |= read(path, names)
    return said


@pytest.mark.parametrize("form", FORMATS)
def test_made_up_rows_come_back_for_every_class(
    form: str, demo: Repository, names: Names, tmp_path: Path
) -> None:
    schema = demo.schema
    first = through(made_up(demo, names), form, tmp_path, names)
    assert set(first) == set(schema.sheets)
    exported = [filled(schema.sheets[slug], schema, names, said) for slug, said in first.items()]
    assert [each.omitted for each in exported if each.omitted] == []
    pages = [Page(each.template, tuple(each.rows)) for each in exported]
    assert through(pages, form, tmp_path, names) == first
