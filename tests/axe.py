"""axe-core: WCAG 2.2 A and AA and its own best practices; it stands in node_modules (`npm ci`)."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js"
RULES = {  # the themes differ in colours alone
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}

needed = pytest.mark.skipif(not SCRIPT.exists(), reason="axe-core is not installed: npm ci")


def install(page: Page) -> None:
    page.evaluate(SCRIPT.read_text("utf-8"))


def faults(page: Page, theme: str) -> list[Any]:
    """Return what breaks a rule in a theme, each with the elements that do."""
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    asked = {**RULES[theme], "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(document, options)", asked)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]
