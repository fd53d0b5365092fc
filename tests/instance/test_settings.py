"""Settings as they are written and read, and those that are refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from thc_graph.errors import SettingsError
from thc_graph.instance.settings import FILE, Settings, read_settings, write_settings


def test_what_is_written_is_read(tmp_path: Path) -> None:
    settings = Settings(tmp_path, trusted_proxies=("10.0.0.0/8", "::1/128"), seconds=3.0)
    write_settings(settings)
    assert read_settings(tmp_path) == settings


@pytest.mark.parametrize(
    "line",
    [
        "trusted_proxies: [10.0.0.0/8, proxy.exemple.fr]",
        "trusted_proxies: [10.0.0.1/8]",  # an address, not a network
        "trusted_proxies: 10.0.0.0/8",
        "metrics_from: [1]",
        "unheard_of: 1",
        "workers: 0",
        "base: https://data.exemple.fr/",
        "- a list",
    ],
)
def test_what_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE).write_text(line)
    with pytest.raises(SettingsError):
        read_settings(tmp_path)


def test_what_a_public_service_lacks(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    assert settings.missing() == ["base", "publisher", "host", "contact"]
    own = replace(settings, base="https://data.exemple.fr", publisher="A", host="B", contact="C")
    assert own.missing() == []
