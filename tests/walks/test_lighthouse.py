"""Lighthouse on an entity, a list and the dashboard: what a phone on a slow network gets.

Its network and processor are simulated from what a page loads, so that scores say more of the
page than of the machine; a score that falls short is taken once more, and the better counts.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from browsing import CHROMIUM, needs_chromium

NODE = shutil.which("node")
LIGHTHOUSE = Path(__file__).parents[2] / "node_modules/lighthouse/cli/index.js"
LEAST = {"accessibility": 1.0, "seo": 1.0, "best-practices": 0.95, "performance": 0.95}
PAGES = ("/doc/territoire/exemple-villeneuve", "/engagement", "/tableau-de-bord")
PATIENCE = 120.0  # seconds for one page

pytestmark = [
    pytest.mark.long,
    *needs_chromium,
    pytest.mark.skipif(
        NODE is None or not LIGHTHOUSE.exists(), reason="Lighthouse is not installed: npm ci"
    ),
]


def audited(address: str) -> tuple[dict[str, float], list[str]]:
    """Return the score of each category, and the audits that take from it."""
    options = (
        "--quiet",
        "--output=json",
        "--no-enable-error-reporting",
        "--chrome-flags=--headless=new --no-sandbox --disable-quic",
        f"--only-categories={','.join(LEAST)}",
    )
    told = subprocess.run(
        [str(NODE), str(LIGHTHOUSE), address, *options],
        capture_output=True,
        check=True,
        timeout=PATIENCE,
        env={**os.environ, "CHROME_PATH": str(CHROMIUM)},
    )
    report = json.loads(told.stdout)
    scores = {name: each["score"] for name, each in report["categories"].items()}
    weighed = {
        ref["id"]
        for each in report["categories"].values()
        for ref in each["auditRefs"]
        if ref["weight"]
    }
    faults = [
        f"{name}: {each['score']} {each.get('displayValue', '')}"
        for name, each in report["audits"].items()
        if name in weighed and each["score"] is not None and each["score"] < 1
    ]
    return scores, faults


@pytest.mark.parametrize("path", PAGES)
def test_a_page_scores_well(site: str, path: str) -> None:
    best, faults = audited(site + path)
    if any(best[name] < least for name, least in LEAST.items()):
        again, faults = audited(site + path)
        best = {name: max(best[name], again[name]) for name in LEAST}
    assert all(best[name] >= least for name, least in LEAST.items()), (best, faults)
