"""Real sheets made by others, loaded through declared mappings. Read in place, never copied."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pyoxigraph import DefaultGraph, NamedNode

from thc_graph.cli.import_ import Report, load
from thc_graph.rdf.terms import DCT, THC, A
from thc_graph.settings import Settings, resources
from thc_graph.sheets.datasets import inputs
from thc_graph.store.publication import Repository

SHARED = Path(os.environ.get("THC_SHARED", Path(__file__).parents[3] / "shared"))
REAL = SHARED / "data" / "real"
MAPPINGS = resources().data_folder / "mappings" / "149-propositions"

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real sheets in {REAL}")


@pytest.fixture
def copy(demo: Repository, tmp_path: Path) -> Repository:
    """The demonstration instance, to write in."""
    root = tmp_path / "store"
    shutil.copytree(demo.root, root)
    return replace(demo, root=root)


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
