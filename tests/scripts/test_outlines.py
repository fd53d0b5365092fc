"""Outlines: fewer points, the same borders on both sides."""

import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import outlines


def test_relative_moves_are_followed_ring_by_ring() -> None:
    rings = outlines.rings("m 10,10 5,0 0,5 -5,0 z m 20,0 4,0 0,4 z")
    assert rings == [[(10, 10), (15, 10), (15, 15), (10, 15)], [(30, 10), (34, 10), (34, 14)]]


def test_a_border_is_simplified_alike_from_both_sides() -> None:
    border = [(x, math.sin(x)) for x in range(20)]
    there, back = outlines.simplified(border), outlines.simplified(border[::-1])
    assert there == back[::-1]
    assert len(there) < len(border)


def test_points_where_neighbours_meet_are_kept() -> None:
    line = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (2.0, 0.0)]
    assert (1.0, 0.0) in outlines.simplified(line)


def test_a_path_is_written_in_whole_numbers() -> None:
    assert outlines.path([(0, 0), (1, 0), (1, -1)]) == "M0 0l4 0 0-4z"
