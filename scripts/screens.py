"""The pictures of the coordinators' guide, made by the product's own commands and LibreOffice.

python scripts/screens.py --store var/store

The store is a demonstration instance; nothing is published in it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from openpyxl import load_workbook

PICTURES = Path(__file__).parents[1] / "docs" / "images"
SHEETS = {"acteurs": "1000,110", "Rapport": "1340,180"}  # of the workbook, and their pictures' size
FAULTY = """\
Nom,Nature,Type d'acteur,Territoires d'action,Site web
Les Ateliers du Lac,organisation,association,Mulouse,www.exemple.fr
Paroles de quartier,organisation,association,Colmar,https://exemple.org
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the pictures of the guide.")
    parser.add_argument("--store", type=Path, required=True)
    store = parser.parse_args().store
    with tempfile.TemporaryDirectory(prefix="screens-") as name:
        folder = Path(name)
        report = annotated(store, folder)
        for sheet, size in SHEETS.items():
            book = load_workbook(report)
            for other in set(book.sheetnames) - {sheet}:
                del book[other]
            book.save(folder / f"{sheet}.xlsx")
            photograph(folder / f"{sheet}.xlsx", PICTURES / f"retour-{sheet.lower()}.png", size)


def annotated(store: Path, folder: Path) -> Path:
    """Have a faulty sheet refused, and return it as the coordinator gets it back."""
    (folder / "acteurs.csv").write_text(FAULTY, "utf-8")
    report = folder / "retour.xlsx"
    program = Path(sys.executable).with_name("thc-graph")
    command: list[str | Path] = [
        program,
        "--store",
        store,
        "import",
        folder / "acteurs.csv",
        "--report",
        report,
    ]
    subprocess.run(command, check=False)  # 3: the data have errors
    return report


def photograph(workbook: Path, picture: Path, size: str) -> None:
    """Show a workbook of one sheet: LibreOffice lays it out, Chromium draws it."""
    picture.parent.mkdir(exist_ok=True)
    profile = (workbook.parent / "profile").as_uri()  # one of its own: another may be running
    office = ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", "html"]
    subprocess.run([*office, "--outdir", workbook.parent, workbook], check=True)
    page = workbook.with_suffix(".html").as_uri()
    browser = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu"]
    subprocess.run([*browser, f"--window-size={size}", f"--screenshot={picture}", page], check=True)


if __name__ == "__main__":
    main()
