"""Data that attacks: whatever a name, a language, an IRI or a link holds is shown as text."""

import json
from collections.abc import Callable
from urllib.request import urlopen

import pytest

from browsing import chromium, needs_chromium
from thc_graph.instance.service import Service

pytestmark = needs_chromium

SCRIPT = "</script><script>window.hit=1</script><img src=x onerror=window.hit=1>"
HOSTILE = f"""
@prefix thc: <https://w3id.org/thc/ns#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix dct: <http://purl.org/dc/terms/> . @prefix igeo: <http://rdf.insee.fr/def/geo#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
<https://data.thc.example/id/commune/66666> a thc:Commune ;
  rdfs:label "{SCRIPT}"@fr , "'\\" onmouseover=window.hit=1 x='"@en-x-onload ;
  dct:description "{SCRIPT}\\u2028--><!-- {{{{ 7*7 }}}} {{% raw %}}"@fr ;
  igeo:codeINSEE "66666" ;
  foaf:homepage <javascript:window.hit=1> ;
  rdfs:seeAlso <data:text/html,%3Cscript%3Ewindow.hit=1%3C/script%3E> ,
    <http://x.example/'onclick='window.hit=1> ;
  thc:departement <https://data.thc.example/id/departement/68> .
"""
PATHS = (
    "/doc/commune/66666",
    "/doc/commune/66666?source=1&lang=en",
    "/doc/departement/68",
    "/commune",
)


@pytest.fixture(scope="module", autouse=True)
def attacked(service: Service, publish: Callable[..., None]) -> None:
    assert service
    publish("bad", HOSTILE)


def test_nothing_that_data_hold_is_ever_run(address: str) -> None:
    with chromium() as browser:
        page = browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda told: complaints.append(told.text))
        for path in PATHS:
            page.goto(f"{address}{path}")
            page.mouse.move(300, 300)
            assert page.evaluate("window.hit") is None, path
            assert page.locator("img").count() == 0
            hrefs = page.eval_on_selector_all(
                "[href]", "all => all.map(one => new URL(one.getAttribute('href'), location).href)"
            )
            schemes = {each.partition(":")[0] for each in hrefs}
            assert schemes <= {"http", "https", "mailto"}, path
            for block in page.locator("script[type='application/ld+json']").all():
                json.loads(block.text_content() or "")
    assert complaints == []


def test_a_name_is_shown_as_it_is_written(address: str) -> None:
    with urlopen(f"{address}/doc/commune/66666.html") as answer:  # noqa: S310  loopback
        text = answer.read().decode()
    assert "&lt;/script&gt;&lt;script&gt;window.hit=1" in text
    assert "{{ 7*7 }}" in text
    assert "javascript:window.hit=1" in text  # as text, with no link to it
    assert 'href="javascript' not in text
