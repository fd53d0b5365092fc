"""What changed between two publications, in each form."""

import json
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from thc_graph.rdf.changes import read_patch

HEAD = "Nom,Type d'acteur,Slogan\n"
CS = "http://purl.org/vocab/changeset/schema#"


@pytest.fixture
def commits(run, bare: Path, tmp_path: Path) -> list[str]:
    """Return three publications of the same sheet."""
    sheet, found = tmp_path / "acteurs.csv", []
    for text in ("Alpha,association,Un\n", "Alpha,entreprise,Deux\n", "Beta,association,\n"):
        sheet.write_text(HEAD + text, "utf-8")
        _, out, _ = run(bare, "import", sheet, "--apply", "--json")
        found.append(json.loads(out)["commit"])
    return found


def test_in_words(run, bare: Path, commits: list[str]) -> None:
    code, out, _ = run(bare, "diff", commits[0][:8])
    assert code == 0
    assert out.splitlines() == [
        "~ Alpha",
        "    Type d’acteur   Association → Entreprise",
        "    Slogan   Un → Deux",
        "+ Beta   (faits : 3)",
    ]
    _, out, _ = run(bare, "diff", commits[1][:8], commits[0][:8])
    assert "    Slogan   Deux → Un" in out.splitlines()
    _, out, _ = run(bare, "--lang", "en", "diff", commits[0][:8], commits[1][:8])
    assert "    Slogan   Un → Deux" in out.splitlines()


def test_as_json_patch_and_turtle(run, bare: Path, commits: list[str]) -> None:
    a, b = commits[0][:8], commits[1][:8]
    _, out, _ = run(bare, "diff", a, b, "--format", "json")
    (found,) = json.loads(out)
    assert (found["kind"], found["label"]) == ("changed", "Alpha")
    assert {"property": "Slogan", "before": ["Un"], "after": ["Deux"]} in found["facts"]
    _, out, _ = run(bare, "diff", a, b, "--format", "patch")
    change = read_patch(out.rstrip("\n"))
    assert Literal("Deux", language="fr") in {quad.object for quad in change.added}
    _, out, _ = run(bare, "diff", a, b, "--format", "ttl")
    quads = list(parse(out, format=RdfFormat.TURTLE))
    removals = [q for q in quads if q.predicate == NamedNode(CS + "removal")]
    assert len(removals) == len(change.facts().removed)


def test_exit_codes(run, bare: Path, commits: list[str]) -> None:
    assert run(bare, "diff", commits[0][:8], "--exit-code")[0] == 6
    assert run(bare, "diff", commits[2][:8], "--exit-code")[0] == 0
    assert run(bare, "diff", "2999-01-01", "--exit-code")[0] == 0
    assert run(bare, "diff", "nulle-part")[0] == 1
