"""Real sheets made by others, loaded through declared mappings. Read in place, never copied."""

import os
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, Literal, NamedNode

import stores
from thc_graph.cli.import_ import Report, load
from thc_graph.instance.settings import Settings, resources
from thc_graph.names.keys import PATTERN
from thc_graph.rdf import iris
from thc_graph.rdf.terms import DCT, RDFS, THC, A
from thc_graph.sheets.columns.layout import layout
from thc_graph.sheets.columns.mapping import read_mapping
from thc_graph.sheets.imports import load as loading
from thc_graph.sheets.imports.datasets import Input, inputs
from thc_graph.sheets.imports.load import Options
from thc_graph.sheets.imports.proposal import Proposal, propose
from thc_graph.sheets.problems import Severity
from thc_graph.sheets.tables.reading import Row, Table
from thc_graph.store.writes.repository import Repository

SHARED = Path(os.environ.get("THC_SHARED", Path(__file__).parents[3] / "shared"))
REAL = SHARED / "data" / "real"
MAPPINGS = resources().data_folder / "mappings" / "149-propositions"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not REAL.is_dir(), reason=f"no real sheets in {REAL}"),
]


@pytest.fixture
def copy(demo: Repository, tmp_path: Path) -> Repository:
    """The demonstration instance, to write in."""
    return stores.copied(demo, tmp_path)


def apply(repository: Repository, name: str) -> Report:
    files = inputs(REAL / f"{name}_149propositions.csv", mapping=MAPPINGS / f"{name}.yaml")
    return load(files, repository, Settings(store=repository.root), "tests", apply=True)


def test_149_propositions(copy: Repository) -> None:
    for name in ("engagements", "suivi"):
        report = apply(copy, name)
        assert report.exit_code == 0
        assert report.commit
    snapshot = copy.current()
    assert snapshot is not None
    store = snapshot.store()
    graph = NamedNode("https://data.thc.example/graph/convention-citoyenne-climat/suivi")
    follow_ups = list(store.quads_for_pattern(None, A, THC["SuiviAvancement"], graph))
    assert len(follow_ups) == 89
    for each in follow_ups:
        for predicate in (DCT["date"], DCT["source"], THC["suiviDe"]):
            found = store.quads_for_pattern(each.subject, predicate, None, DefaultGraph())
            assert len(list(found)) == 1, predicate
    graph = NamedNode("https://data.thc.example/graph/convention-citoyenne-climat/engagements")
    assert len(list(store.quads_for_pattern(None, A, THC["Engagement"], graph))) == 152
    for name in ("engagements", "suivi"):
        again = apply(copy, name)
        assert again.commit is None
        assert not again.proposal.change


def proposed(repository: Repository, file: str, mapping: str) -> Proposal:
    files = inputs(REAL / file, mapping=MAPPINGS.parent / f"{mapping}.yaml")
    return propose(files, repository, Settings.base)


def refused(proposal: Proposal) -> list[tuple[str, int, str]]:
    return [(p.code, p.cell.line, p.read) for p in proposal.errors]


def entities(proposal: Proposal, class_: str) -> set[NamedNode]:
    quads = (quad for each in proposal.conversions for quad in each.quads)
    return {q.subject for q in quads if q.predicate == A and q.object == THC[class_]}


def values(proposal: Proposal, predicate: NamedNode) -> list[str]:
    quads = (quad for each in proposal.conversions for quad in each.quads)
    return sorted(q.object.value for q in quads if q.predicate == predicate)


def test_414_projects_of_paris(demo: Repository) -> None:
    found = proposed(demo, "paris_bp_laureats_2014_2016.csv", "paris-budget-participatif/projets")
    assert refused(found) == []
    projects = entities(found, "Projet")
    assert len(projects) == 414
    assert len(values(found, RDFS["label"])) == 412  # two titles are « NON REGISTRÉ »
    no_date = [p for p in found.problems if p.code == "no-date"]
    assert len([p for p in no_date if p.cell.heading == "lancement_procedure_projet"]) == 55
    assert len(values(found, THC["debut"])) == 359
    assert len(values(found, THC["fin"])) == 350
    places = values(found, THC["territoire"])
    assert len(places) == 414
    assert len(set(places)) == 20
    kiosks = NamedNode(f"{Settings.base}/id/projet/paris-bp-2205")
    said = {
        q.predicate: q.object.value
        for each in found.conversions
        for q in each.quads
        if q.subject == kiosks
    }
    assert said[RDFS["label"]] == "Des kiosques pour faire la fête"
    assert said[THC["budget"]] == "3700000"
    assert said[THC["fin"]] == "2020-09"
    assert said[THC["territoire"]].endswith("/arrondissement-municipal/75104")


def test_84_methods(demo: Repository) -> None:
    found = proposed(demo, "outils_methodes_multibao.csv", "multibao/methodes")
    assert len(entities(found, "Methode")) == 83  # one stands twice, its name composed otherwise
    assert refused(found) == [
        ("placeholder", 39, "Contribution multiBàO"),
        ("unknown-concept", 67, "CC BY-NC-ND|CC BY-NC-SA|CC-BY|CC0"),
        ("unknown-concept", 68, "CC-BY-NC-ND"),
    ]
    assert len(values(found, RDFS["label"])) == 79  # three have no title at all
    assert len(entities(found, "FicheOutilMethode")) == 4  # the four that quote a licence
    made = (*entities(found, "Methode"), *entities(found, "FicheOutilMethode"))
    named = (iris.kind_and_key(each.value, Settings.base) for each in made)
    assert all(place and PATTERN.fullmatch(place[1]) for place in named)


@pytest.mark.parametrize(
    ("sheet", "class_", "rows", "titled"),
    [
        ("acteurs", "Organisation", 22, 15),
        ("experiences", "Experience", 6, 6),
        ("outils-methodes", "Methode", 2, 1),
    ],
)
def test_31_fiches(demo: Repository, sheet: str, class_: str, rows: int, titled: int) -> None:
    found = proposed(demo, "fiches_democratie_ouverte.csv", f"democratie-ouverte/{sheet}")
    assert refused(found) == []
    assert len(entities(found, class_)) == rows  # the 31st is about the programme itself
    assert len(values(found, RDFS["label"])) == titled


NO_NAME, NO_RESULT = "-label", "ExperienceShape-resultat"
PUBLISHED = {  # file, mapping → class, how many of it are published, the rows left out and why
    ("paris_bp_laureats_2014_2016", "paris-budget-participatif/projets"): (
        "Projet", 412, {NO_NAME: [7, 221]},  # « NON REGISTRÉ » is no title
    ),
    ("outils_methodes_multibao", "multibao/methodes"): (
        "Methode", 77, {NO_NAME: [35, 36, 38], "placeholder": [39], "unknown-concept": [67, 68]},
    ),
    ("fiches_democratie_ouverte", "democratie-ouverte/acteurs"): (
        "Organisation", 14, {NO_NAME: [14, 15, 17, 18, 22, 23, 26, 27]},
    ),
    ("fiches_democratie_ouverte", "democratie-ouverte/experiences"): (
        "Experience", 0, {NO_RESULT: [8, 10, 12, 16, 21, 29]},
    ),
    ("fiches_democratie_ouverte", "democratie-ouverte/outils-methodes"): ("Methode", 2, {}),
}  # fmt: skip


def test_sound_rows_are_published_and_the_others_left_for_a_reason(copy: Repository) -> None:
    options = Options(Settings.base, "tests", apply=True, partial=True)
    for (file, mapping), (class_, count, left) in PUBLISHED.items():
        files = inputs(REAL / f"{file}.csv", mapping=MAPPINGS.parent / f"{mapping}.yaml")
        report = loading.load(files, copy, options)
        reasons: dict[str, set[int]] = {}
        for each in report.problems:
            if each.severity is Severity.ERROR:
                reason = NO_NAME if each.code.endswith(NO_NAME) else each.code
                reasons.setdefault(reason, set()).add(each.cell.line)
        reasons.pop("Common-description", None)  # of a row that has no name either
        assert {reason: sorted(lines) for reason, lines in reasons.items()} == left, mapping
        assert {line for _, _, line in report.refused} == {n for ns in left.values() for n in ns}
        assert bool(report.commit) == bool(count)
        assert published(copy, files[0], class_) == count, mapping
    kiosks = NamedNode(f"{Settings.base}/id/projet/paris-bp-2205")
    snapshot = copy.current()
    assert snapshot is not None
    said = {q.predicate: q.object for q in snapshot.store().quads_for_pattern(kiosks, None, None)}
    assert said[RDFS["label"]] == Literal("Des kiosques pour faire la fête", language="fr")
    assert said[THC["fin"]].value == "2020-09"


def published(repository: Repository, file: Input, class_: str) -> int:
    """Return how many things of a class the graphs of a file's dataset hold."""
    snapshot = repository.current()
    assert snapshot is not None
    typed = snapshot.store().quads_for_pattern(None, A, THC[class_])
    mine = f"/graph/{file.dataset.id}/"
    return sum(mine in getattr(quad.graph_name, "value", "") for quad in typed)


@pytest.mark.parametrize(
    "path",
    sorted(MAPPINGS.parent.rglob("*.yaml")),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_every_shipped_mapping_names_headings_of_ours(path: Path, demo: Repository) -> None:
    mapping = read_mapping(path)
    assert mapping.sheet in demo.schema.sheets
    header = Table(path.name, "", (Row(1, tuple(mapping.columns)),))
    assert layout(header, demo.schema, None, mapping).ignored == ()
