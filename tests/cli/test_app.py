"""What every command shares: its options before the verb, and how light it starts."""

import subprocess
import sys

from typer.testing import CliRunner

from thc_graph import __version__
from thc_graph.cli.app import app

HEAVY = {"pyshacl", "rdflib", "fastapi", "starlette", "uvicorn", "openpyxl", "xlsxwriter", "odf"}


def test_the_version() -> None:
    told = CliRunner().invoke(app, ["--version"])
    assert (told.exit_code, told.output.strip()) == (0, f"thc-graph {__version__}")


def test_what_only_some_commands_need_is_not_loaded_by_all() -> None:
    asked = f"import sys, thc_graph.cli; print(sorted(sys.modules.keys() & {HEAVY!r}))"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
