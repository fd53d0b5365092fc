"""A store in conformance mode, by its two doors: plain SPARQL inside, reading outside."""

import time

import httpx

from serving import PATIENCE

from .conftest import Instance


def test_what_is_written_inside_is_read_outside(instance: Instance) -> None:
    headers = {"Authorization": f"Bearer {instance.token}"}
    text = "INSERT DATA { _:x <urn:p> 1 . GRAPH <urn:g> { <urn:a> <urn:p> 2 } }"
    written = httpx.post(f"{instance.editors}/update", data={"update": text}, headers=headers)
    assert written.status_code == 200
    for query, found in (("ASK { ?x ?p 1 }", True), ("ASK { ?x ?p 2 }", False)):
        asked = httpx.get(f"{instance.editors}/sparql", params={"query": query}, headers=headers)
        assert asked.json()["boolean"] is found
    await_visitors(instance, "ASK { ?x ?p 1 }")
    await_visitors(instance, "ASK { GRAPH <urn:g> { ?x ?p 2 } }")


def await_visitors(instance: Instance, query: str) -> None:
    """Wait until the public port answers yes: it looks for publications by itself."""
    end = time.monotonic() + PATIENCE
    while not httpx.get(f"{instance.public}/sparql", params={"query": query}).json()["boolean"]:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_public_port_writes_nothing(instance: Instance) -> None:
    headers = {"Authorization": f"Bearer {instance.token}"}
    for path in ("/update", "/graph?default", "/sparql"):
        response = httpx.post(
            f"{instance.public}{path}", data={"update": "DROP ALL"}, headers=headers
        )
        assert response.status_code in (403, 404, 405)
