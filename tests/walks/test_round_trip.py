"""What is exported is read back as it stands: for every class, in every format."""

import itertools
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import NamedNode, Store

from thc_graph.instance.settings import Settings
from thc_graph.names.names import Names
from thc_graph.names.published import known
from thc_graph.rdf import iris
from thc_graph.rdf.terms import RDF, XSD, A
from thc_graph.schema.shapes import PropertyShape
from thc_graph.sheets.columns.layout import members
from thc_graph.sheets.columns.template import Column, template
from thc_graph.sheets.imports import load
from thc_graph.sheets.imports.datasets import Input, inputs
from thc_graph.sheets.imports.load import Options
from thc_graph.sheets.imports.proposal import propose
from thc_graph.sheets.problems import Severity
from thc_graph.sheets.workbooks.filling import Filled, filled
from thc_graph.sheets.workbooks.pages import Page
from thc_graph.sheets.workbooks.writers import WRITERS
from thc_graph.store.writes.repository import Repository

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


# From an empty template, filled with made-up rows, to what is published and back


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


CODES = {  # of a territory of each class, where the shape of them all takes any
    "ArrondissementMunicipal": "75104", "CollectiviteOutreMer": "987", "Commune": "68224",
    "Departement": "68", "Region": "44",
}  # fmt: skip
RULED = {  # what a rule asks of a cell beyond its type, or what keeps one from asking
    "ActeurShape-qualite": "",
    "ConventionObjectifsShape-association": "Démocratie Ouverte",
    "OutilMethodeShape-participantsMin": "1",
    "SuiviAvancementShape-date": "2026-11-02",
}


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
        if (fixed := self.fixed(shape, class_)) is not None:
            return fixed
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

    def fixed(self, shape: PropertyShape, class_: NamedNode) -> str | None:
        """Return what is no matter of choice."""
        if shape.predicate == A:
            return self.schema.classes[class_].label.fr
        name = shape.iri.value.rpartition("#")[2]
        if name == "TerritoireShape-codeINSEE":
            return CODES.get(class_.value.rpartition("#")[2], "")
        return RULED.get(name)

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
            tuple(maker.row(form.columns, each, f"exemple-{sheet.slug}-{place}-{number}"))
            for place, each in enumerate(classes)
            for number in range(2)
        ]
        pages.append(Page(form, tuple(rows)))
    return pages


@pytest.fixture(scope="module")
def rows(demo: Repository, names: Names) -> list[Page]:
    return made_up(demo, names)


@pytest.fixture(scope="module")
def filled_in(
    demo: Repository, rows: list[Page], tmp_path_factory: pytest.TempPathFactory
) -> Repository:
    """The demonstration, with a filled template of every sheet published beside it."""
    folder = tmp_path_factory.mktemp("filled")
    own = replace(demo, root=folder / "store")
    shutil.copytree(demo.root, own.root)
    files = written(rows, ".xlsx", folder)
    report = load.load(files, own, Options(BASE, "tests", apply=True))
    assert [p.as_dict("fr") for p in report.problems if p.severity is Severity.ERROR] == []
    assert report.commit
    return own


def written(pages: list[Page], form: str, folder: Path) -> list[Input]:
    """Write pages, a file each where the format asks for it, as sheets of one dataset."""
    groups = [[each] for each in pages] if form == ".csv" else [pages]
    paths = [folder / f"{number}{form}" for number in range(len(groups))]
    for path, group in zip(paths, groups, strict=True):
        path.write_bytes(WRITERS[form](group, "essai"))
    return [found for path in paths for found in inputs(path, source="essai")]


@pytest.mark.parametrize("form", FORMATS)
def test_a_filled_template_of_every_class_comes_back(
    form: str, filled_in: Repository, rows: list[Page], tmp_path: Path
) -> None:
    schema, snapshot = filled_in.schema, filled_in.current()
    assert snapshot is not None
    store = snapshot.store()
    again = propose(written(rows, form, tmp_path), filled_in, BASE)
    assert not again.errors
    assert not again.change, list(again.change.added)[:5]
    current = known(snapshot, filled_in.derivation.library, schema, BASE)
    data = dict(published(filled_in, store, current))["essai"]
    assert [each.omitted for each in data if each.omitted] == []
    exported = {each.template.sheet.slug: Page(each.template, tuple(each.rows)) for each in data}
    assert set(exported) == set(schema.sheets)
    assert {slug: len(page.rows) for slug, page in exported.items()} == {
        page.template.sheet.slug: len(page.rows) for page in rows
    }
    back = propose(written(list(exported.values()), form, tmp_path), filled_in, BASE)
    assert not back.errors
    assert not back.change, list(back.change.added)[:5]
