"""The front-end parts in the package are those package.json declares, each with its licence."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "src" / "thc_graph" / "web" / "static" / "vendor"
RECORD = VENDOR / "parts.json"
DECLARED = json.loads((ROOT / "package.json").read_text("utf-8"))


def test_every_part_is_declared_exactly_and_locked() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    for name, version in (DECLARED["dependencies"] | DECLARED["devDependencies"]).items():
        assert locked[f"node_modules/{name}"]["version"] == version
        assert locked[f"node_modules/{name}"]["integrity"]


@pytest.mark.skipif(not RECORD.is_file(), reason="scripts/assets.py has not run")
def test_what_is_recorded_is_what_is_there() -> None:
    recorded = json.loads(RECORD.read_text("utf-8"))
    declared = DECLARED["dependencies"]
    assert {each["name"]: each["version"] for each in recorded}.items() <= declared.items()
    files = {name: digest for each in recorded for name, digest in each["files"].items()}
    there = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path not in (RECORD, VENDOR / "fonts" / "fonts.css")
    }
    assert files == there
    for each in recorded:
        names = {Path(name).name for name in each["files"]}
        assert any(name.endswith(("LICENSE", "LICENCE", "package.json")) for name in names)
