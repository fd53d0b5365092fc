"""`thc-graph token`: a secret on stdout, once; then names and roles only."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from thc_graph.cli.app import app
from thc_graph.instance.settings import Settings, read_settings, write_settings
from thc_graph.people import tokens

from .conftest import Run


@pytest.fixture
def store(tmp_path: Path) -> Path:
    write_settings(Settings(store=tmp_path))
    return tmp_path


def test_a_token_is_created_listed_and_revoked(store: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["--store", str(store), "token", *arguments])
        return result.exit_code, result.stdout

    code, secret = run("create", "Ville", "--role", "read")
    assert code == 0
    token = tokens.bearer(store, secret.strip())
    assert token is not None
    assert token.role == "read"
    assert run("create", "Ville")[0] == 1
    assert run("create", "Autre", "--role", "roi")[0] == 2
    (told,) = json.loads(run("list", "--json")[1])
    assert told == {"name": "Ville", "role": "read", "created": token.created}
    assert run("list")[1] == f"Ville\tread\t{token.created}\n"
    assert run("revoke", "Ville")[0] == 0
    assert run("revoke", "Ville")[0] == 1
    assert tokens.bearer(store, secret.strip()) is None


def test_a_conformance_store_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--store", str(tmp_path / "s"), "init", "--conformance"])
    assert result.exit_code == 0
    settings = read_settings(tmp_path / "s")
    assert (settings.default_graph, settings.rules) == ("own", "none")
    again = CliRunner().invoke(app, ["--store", str(tmp_path / "s"), "init", "--bare"])
    assert again.exit_code != 0


def test_a_restored_backup_says_that_its_tokens_hold_again(
    run: Run, bare: Path, tmp_path: Path
) -> None:
    _, secret, _ = run(bare, "token", "create", "Ville")
    assert run(bare, "backup", tmp_path / "saved")[0] == 0
    run(bare, "token", "revoke", "Ville")
    code, _, said = run(tmp_path / "again", "restore", tmp_path / "saved")
    assert code == 0
    assert "token list" in said
    assert tokens.bearer(tmp_path / "again", secret.strip()) is not None
    assert (tmp_path / "again" / tokens.FILE).stat().st_mode & 0o777 == 0o600
