"""The W3C's suites by HTTP: what fails is named here, with its reason in docs/conformance.md."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Instance

KNOWN = Path(__file__).parents[2] / "docs/conformance.md"


def known_failures() -> set[str]:
    """Return the tests that the documentation names as failing."""
    return set(re.findall(r"^\| `sparql11/([\w/-]+)` \|", KNOWN.read_text("utf-8"), re.MULTILINE))


def results(runner: Path, instance: Instance, tmp_path: Path, *options: str) -> list[object]:
    """Run one of the W3C's runners against the editors' door."""
    found = tmp_path / "results.json"
    command = [
        *(sys.executable, str(runner), "--json", str(found)),
        *("--query", f"{instance.editors}/sparql", "--update", f"{instance.editors}/update"),
        *("--gsp", f"{instance.editors}/graph", "--header"),
        *(f"Authorization: Bearer {instance.token}", *options),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.exists(), ended.stderr
    told: list[object] = json.loads(found.read_text("utf-8"))
    return told


@pytest.mark.parametrize(
    ("suite", "number"),
    [("protocol", 34), ("gsp", 13), ("sd", 3)],
)
def test_protocols(
    suite: str, number: int, runners: Path, instance: Instance, tmp_path: Path
) -> None:
    others = [f"--skip={each}" for each in ("protocol", "gsp", "sd") if each != suite]
    told = results(runners / "w3c_http_runner.py", instance, tmp_path, *others)
    failed = [each for each in told if each["result"] != "pass"]  # type: ignore[index]
    assert not failed
    assert len(told) == number


def test_evaluation(runners: Path, instance: Instance, tmp_path: Path) -> None:
    told = results(runners / "w3c_eval_runner.py", instance, tmp_path, "--backend", "http")
    by_name = {name.removeprefix("sparql11/"): result for name, result, _ in told}  # type: ignore[misc]
    failed = {name for name, result in by_name.items() if result == "fail"}
    assert failed == known_failures()
    assert sum(result == "pass" for result in by_name.values()) >= 478
