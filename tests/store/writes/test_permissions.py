"""Which graphs are written by hand: those of sources, in whatever spelling the others come."""

import pytest
from pyoxigraph import DefaultGraph, NamedNode

from thc_graph.store.writes.permissions import Role, may_write

BASE = "https://data.thc.example"


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("essai/communes", {"write", "admin"}),
        ("edition/0b4c", {"write", "admin"}),
        ("budget-participatif/été", {"write", "admin"}),
        ("essai/a.b", {"write", "admin"}),
        ("essai/union", {"write", "admin"}),
        ("mirrors/x", {"write", "admin"}),
        ("vocabulaire/thc", {"admin"}),
        ("vocabulaire", {"admin"}),
        ("Vocabulaire/thc", {"admin"}),
        ("%76ocabulaire/thc", {"admin"}),
        *(
            (spelling, set())
            for source in ("union", "mirror", "derive", "catalogue", "provenance")
            for spelling in (
                source,
                f"{source}/x",
                source.upper(),
                f"%{ord(source[0]):02x}{source[1:]}",
                f"%25{ord(source[0]):02X}{source[1:]}/x",
                f"{source}%2Fx",
                f"essai/../{source}",
                f"./{source}",
                f"{source}#holds",
                f"{source}?x",
                chr(ord(source[0]) + 0xFEE0) + source[1:],  # a full-width letter
            )
        ),
        ("", set()),
        ("/", set()),
        ("essai/", set()),
        ("/essai", set()),
        ("essai//x", set()),
        ("essai/./x", set()),
        ("essai/../../id", set()),
        ("essai/%2e%2E/mirror", set()),
        ("essai%2F..%2Fmirror", set()),
        ("essai/%252e%252e/x", set()),
        ("essai/%20", set()),
        ("essai/x#y", set()),
        ("essai/x?y", set()),
        ("essai/%23y", {"write", "admin"}),
        ("x/graph/provenance/y", set()),
    ],
)
def test_a_graph_under_our_base(name: str, roles: set[Role]) -> None:
    graph = NamedNode(f"{BASE}/graph/{name}")
    assert {role for role in ("write", "admin") if may_write(role, graph, BASE)} == roles


@pytest.mark.parametrize(
    "graph",
    [
        DefaultGraph(),
        NamedNode("urn:elsewhere"),
        NamedNode(f"{BASE}.evil.example/graph/essai/x"),
        NamedNode(f"{BASE}/id/essai/x"),
        NamedNode(f"{BASE}/graph"),
        NamedNode("HTTPS://data.thc.example/graph/essai/x"),
    ],
    ids=str,
)
def test_a_graph_elsewhere_is_nobody_s(graph: NamedNode | DefaultGraph) -> None:
    assert not may_write("admin", graph, BASE)
