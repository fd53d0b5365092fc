"""The W3C's suites by HTTP: what fails is named here, with its reason in docs/conformance.md."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat, Store, parse

from serving import served
from thc_graph.rdf.changes import ChangeSet
from thc_graph.schema.validation import accept_unchecked
from thc_graph.store.writes.repository import Repository

from .conftest import Instance

pytestmark = pytest.mark.long

KNOWN = Path(__file__).parents[2] / "docs/conformance.md"


def known_failures() -> set[str]:
    """Return the tests that the documentation names as failing."""
    return set(re.findall(r"^\| `sparql11/([\w/-]+)` \|", KNOWN.read_text("utf-8"), re.MULTILINE))


def at_the_editors_door(instance: Instance) -> list[str]:
    return [
        *("--query", f"{instance.editors}/sparql", "--update", f"{instance.editors}/update"),
        *("--gsp", f"{instance.editors}/graph"),
        *("--header", f"Authorization: Bearer {instance.token}"),
    ]


def results(runner: Path, tmp_path: Path, *options: str) -> list[Any]:
    """Return what one of the W3C's runners tells of each test."""
    found = tmp_path / "results.json"
    command = [sys.executable, str(runner), "--json", str(found), *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.exists(), ended.stderr
    told: list[Any] = json.loads(found.read_text("utf-8"))
    return told


@pytest.mark.parametrize(
    ("suite", "number"),
    [("protocol", 34), ("gsp", 13), ("sd", 3)],
)
def test_protocols(
    suite: str, number: int, runners: Path, instance: Instance, tmp_path: Path
) -> None:
    others = [f"--skip={each}" for each in ("protocol", "gsp", "sd") if each != suite]
    door = at_the_editors_door(instance)
    told = results(
        runners / "w3c_http_runner.py",
        tmp_path,
        *door,
        "--public",
        f"{instance.public}/sparql",
        *others,
    )
    assert not [each for each in told if each["result"] != "pass"]
    assert len(told) == number


def test_the_protocol_at_the_public_port_of_an_ordinary_instance(
    bare: Repository, runners: Path, tmp_path: Path
) -> None:
    folder = runners.parent / "suites/rdf-tests/sparql/sparql11/protocol"
    change = ChangeSet(added=frozenset(data_of(folder)))
    with bare.writing() as writer, bare.draft(change) as draft:
        writer.publish(draft, accept_unchecked(change), "W3C", "Données des essais")
    with served(bare.root) as public:
        door = ["--query", f"{public}/sparql", "--readonly", "--preloaded"]
        told = results(runners / "w3c_http_runner.py", tmp_path, *door, "--skip=gsp", "--skip=sd")
    assert not [each for each in told if each["result"] != "pass"]
    assert len(told) == 34


def data_of(folder: Path) -> set[Quad]:
    """Return the quads that the protocol's tests ask, as their manifest names the graphs."""
    manifest = Store()
    base = f"{folder.as_uri()}/"
    manifest.load(path=str(folder / "manifest.ttl"), format=RdfFormat.TURTLE, base_iri=base)
    named = manifest.query(
        "PREFIX ut: <http://www.w3.org/2009/sparql/tests/test-update#>"
        "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>"
        "SELECT DISTINCT ?file ?name { ?test ut:graphData [ ut:graph ?file ; rdfs:label ?name ] }"
    )
    return {
        Quad(*quad.triple, NamedNode(row["name"].value))
        for row in named
        for quad in parse(path=folder / Path(row["file"].value).name, format=RdfFormat.N_TRIPLES)
    }


@pytest.mark.all
def test_evaluation(runners: Path, instance: Instance, second: Instance, tmp_path: Path) -> None:
    """Half of the suite at each of two instances, since each test waits for the one before."""
    listed = runners.parent / "suites/rdf-tests/sparql/sparql11/manifest-all.ttl"
    found = re.findall("<([a-z][^>]*/manifest.ttl)>", listed.read_text("utf-8"))
    manifests = list(dict.fromkeys(found))  # some are listed again, by specification

    def half(place: int) -> list[Any]:
        chosen = [f"--manifest=sparql11/{each}" for each in manifests[place::2]]
        door = at_the_editors_door((instance, second)[place])
        folder = tmp_path / str(place)
        folder.mkdir()
        return results(runners / "w3c_eval_runner.py", folder, *door, *chosen)

    with ThreadPoolExecutor() as threads:
        told = [each for found in threads.map(half, (0, 1)) for each in found]
    by_name = {
        name.removeprefix("sparql11/"): result for name, result, _ in told if result != "skip"
    }
    assert len(by_name) == 490
    failed = {name for name, result in by_name.items() if result == "fail"}
    assert failed == known_failures()
    assert sum(result == "pass" for result in by_name.values()) >= 478
