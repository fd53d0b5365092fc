"""Copy the front-end parts that package.json declares into the package, with their licences.

They go to src/thc_graph/web/static/vendor/, which git ignores and the wheel carries.
`parts.json` there records name, version, licence and the SHA-256 of each file. Pages
work without them, so a part that npm has not installed is left out and told.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
MODULES: Final = ROOT / "node_modules"
VENDOR: Final = ROOT / "src" / "thc_graph" / "web" / "static" / "vendor"

# part → folder it goes to, and the files (patterns) of it that pages load
PARTS: Final = {
    "@zazuko/yasgui": ("yasgui", ("build/yasgui.min.js", "build/yasgui.min.css")),
    "leaflet": ("leaflet", ("dist/leaflet.js", "dist/leaflet.css", "dist/images/*.png")),
    "@fontsource-variable/bricolage-grotesque": (
        "bricolage-grotesque",
        ("files/bricolage-grotesque-latin-wght-normal.woff2",),
    ),
    "@fontsource-variable/source-sans-3": (
        "source-sans-3",
        ("files/source-sans-3-latin-wght-normal.woff2",),
    ),
}


def copy(name: str, folder: str, patterns: tuple[str, ...]) -> dict[str, object]:
    """Copy one part and return what is recorded of it."""
    source, target = MODULES / name, VENDOR / folder
    told = json.loads((source / "package.json").read_text("utf-8"))
    files = [path for pattern in patterns for path in sorted(source.glob(pattern))]
    if not files:
        raise SystemExit(f"{name} {told['version']} has none of {', '.join(patterns)}.")
    licences = sorted(source.glob("LICEN[SC]E*")) or [source / "package.json"]
    target.mkdir(parents=True)
    for path in (*files, *licences):
        inside = target / path.relative_to(source).relative_to(_top(path, source))
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, inside)
    return {
        "name": name,
        "version": told["version"],
        "licence": told["license"],
        "files": {
            path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(target.rglob("*"))
            if path.is_file()
        },
    }


def _top(path: Path, source: Path) -> Path:
    """Return the part's own build folder, which ours does without."""
    parts = path.relative_to(source).parts
    return Path(parts[0]) if len(parts) > 1 else Path()


def main() -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    there = {name: what for name, what in PARTS.items() if (MODULES / name).is_dir()}
    for name in PARTS.keys() - there.keys():
        print(f"not installed: {name}", file=sys.stderr)
    recorded = [copy(name, *what) for name, what in there.items()]
    text = json.dumps(recorded, indent=2, ensure_ascii=False) + "\n"
    (VENDOR / "parts.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
