"""What the guard refuses and lets through; each refused text does reach the network unguarded."""

import time
from collections.abc import Callable
from contextlib import suppress

import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thc_graph.errors import QueryError, QueryForbidden, QueryTooComplex, QueryTooLarge
from thc_graph.store.engine import lexer
from thc_graph.store.engine.guard import (
    MAX_BYTES,
    MAX_CHAIN,
    MAX_DEPTH,
    check,
    check_portable,
    examine,
    form,
    plain,
    prefixes,
    without_dataset,
)

FAR = "<http://127.0.0.1:9/>"  # a port that the engine refuses to call, so it tells that it tried
GROUP = "{ ?a ?b ?c }"
PREFIXES = (
    "PREFIX e: <http://e/> PREFIX p: <http://h:80> PREFIX q: <http://h:> "
    "PREFIX : <http://127.0.0.1:9/> PREFIX service: <http://e/> "
)

CALLS = [
    f"SERVICE {FAR} {GROUP}",
    f"service {FAR} {GROUP}",
    f"SERVICE#c\n{FAR} {GROUP}",
    f"SERVICE{FAR}{GROUP}",
    f"?s ?p 1SERVICE {FAR} {GROUP}",
    f"?s ?p 1.SERVICE {FAR} {GROUP}",
    f"?s ?p trueSERVICE {FAR} {GROUP}",
    f"?s ?p ''SERVICE {FAR} {GROUP}",
    f"?s ?p <http://x/\\u0041#>SERVICE {FAR} {GROUP}",
    f"SERVICEe:a {GROUP}".replace("e:a", ":a"),
    f"SERVICE e:a {GROUP}",
    f"SERVICEe:a#c\n{GROUP}",
    f"service:x {GROUP}",
    f"?s ?p trueSERVICEe:a {GROUP}",
    f"?s ?p p:SERVICE {FAR} {GROUP}",
    f"?s ?p q:0SERVICE {FAR} {GROUP}",
    f"?s ?p e:.SERVICE {FAR} {GROUP}",
    f"FILTER(1<2)SERVICE#>\n{FAR} {GROUP}",
    f'FILTER(1<2#>"""\n)SERVICE {FAR} {GROUP} #"""\n',
    f"FILTER(1<'b>')SERVICE {FAR} {GROUP} #'\n",
    f"FILTER(1<'''b>\n''')SERVICE {FAR} {GROUP} #'''\n",
]

HARMLESS = [
    "SELECT ?service { ?service ?p $service }",
    "PREFIX ex: <http://e/> SELECT * { ?s ex:service ex:load ; a ex:Service . }",
    "PREFIX service: <http://e/> SELECT * { ?s service:p service:x . }",
    "PREFIX service: <http://e/> SELECT * { GRAPH service:g { ?s ?p ?o } }",
    "PREFIX service: <http://e/> SELECT * FROM service:g { ?s ?p ?o }",
    "SELECT * { ?s <http://e/SERVICE> <http://e/(service)> }",
    "SELECT * { ?s ?p <http://e/service#load>, <http://e/d'service> }",
    'SELECT * { ?s ?p "service", "a \\" SERVICE", """a "" LOAD\nSERVICE""" }',
    "SELECT * { ?s ?p 'INSERT', '''d'LOAD' \\''' SERVICE''', \"insert\"@fr }",
    "# SERVICE LOAD INSERT\nSELECT * { ?s ?p ?o } # DELETE",
    "SELECT * { _:service ?p _:load }",
    "SELECT * { FILTER(?a<?b && ?c>?d) VALUES (?x ?y) { (-1.5 +2e3) } }",
    "SELECT (COUNT(*) AS ?n) { ?s (<a:b>|^<a:c>)*/<a:d>+ ?o } HAVING (?n > 1)",
]

UPDATES = [
    ("INSERT DATA { <a:b> <a:b> 1 }", "INSERT"),
    ("DELETE WHERE { ?s ?p ?o }", "DELETE"),
    ("PREFIX e: <http://e/> load <http://127.0.0.1/>", "LOAD"),
    ("LOADSILENT<http://127.0.0.1/>", "LOAD"),
    ("SELECT * {} ; CLEAR ALL", "CLEAR"),
    ("DROP GRAPH <a:b>", "DROP"),
    ("CREATE GRAPH <a:b>", "CREATE"),
    ("ADD <a:b> TO <a:c>", "ADD"),
    ("MOVE <a:b> TO <a:c>", "MOVE"),
    ("COPY DEFAULT TO <a:c>", "COPY"),
]


def store() -> pyoxigraph.Store:
    """Hold a triple for each object the fragments name, so that the engine goes on to SERVICE."""
    store = pyoxigraph.Store()
    objects = ("1", "1.0", "true", "''", "<http://x/A#>", "<http://h:80>", "<http://h:>")
    for value in (*objects, "<http://e/>"):
        store.update(f"INSERT DATA {{ <http://e/s> <http://e/p> {value} }}")
    store.update("INSERT DATA { <http://e/s> <http://h:> 0 }")
    return store


STORE = store()


def reaches_out(text: str) -> bool:
    try:
        result = STORE.query(text)
        list(result) if isinstance(result, pyoxigraph.QuerySolutions) else None
    except (SyntaxError, ValueError):
        return False
    except OSError:
        return True
    return False


@pytest.mark.parametrize("clause", CALLS)
def test_a_call_to_another_service_is_refused(clause: str) -> None:
    with pytest.raises(QueryForbidden) as refusal:
        check(f"{PREFIXES}SELECT * {{ {clause} }}")
    assert refusal.value.what == "SERVICE"


def test_the_calls_are_real_for_the_engine() -> None:
    reached = [clause for clause in CALLS if reaches_out(f"{PREFIXES}SELECT * {{ {clause} }}")]
    assert len(reached) >= len(CALLS) - 4


@pytest.mark.parametrize("text", HARMLESS)
def test_the_same_words_elsewhere_are_let_through(text: str) -> None:
    check(text)


@pytest.mark.parametrize(("text", "keyword"), UPDATES)
def test_an_update_is_refused_by_its_keyword(text: str, keyword: str) -> None:
    with pytest.raises(QueryForbidden) as refusal:
        check(text)
    assert refusal.value.what == keyword


@pytest.mark.parametrize(("opening", "closing"), ["()", "{}", "[]"])
def test_brackets_nest_up_to_the_limit(opening: str, closing: str) -> None:
    check(opening * MAX_DEPTH + closing * MAX_DEPTH)
    with pytest.raises(QueryTooComplex):
        check(opening * (MAX_DEPTH + 1) + closing * (MAX_DEPTH + 1))


@pytest.mark.parametrize("operator", ["/", "|", "^", "!", "||", "&&", "+", "-", "*"])
def test_operators_chain_up_to_the_limit(operator: str) -> None:
    check(f" {operator} ".join(["?a"] * (MAX_CHAIN + 1)))
    with pytest.raises(QueryTooComplex):
        check(f" {operator} ".join(["?a"] * (MAX_CHAIN + 2)))


def test_signed_numbers_and_brackets_in_strings_do_not_count() -> None:
    check("VALUES ?x { " + "-1 " * (2 * MAX_CHAIN) + '} "' + "(" * 2 * MAX_DEPTH + '"')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ASK {}", "ASK {}"),
        ("ASK FROM <urn:a> FROM NAMED ex:b {}", "ASK     {}"),
        ("SELECT ?FROM from<urn:a>{ { SELECT * {} } } # FROM <urn:c>", None),
        ("ASK FROM", "ASK  "),
        ("ASK FROM NAMED", "ASK  "),
    ],
)
def test_a_text_without_its_dataset(text: str, expected: str | None) -> None:
    expected = expected or "SELECT ?FROM  { { SELECT * {} } } # FROM <urn:c>"
    assert without_dataset(text) == expected


def test_the_limit_of_size_is_in_bytes() -> None:
    check("#" + "é" * (MAX_BYTES // 2 - 1))
    with pytest.raises(QueryTooLarge) as refusal:
        check("#" + "é" * (MAX_BYTES // 2))
    assert refusal.value.limit == MAX_BYTES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * {}", "SELECT"),
        ("# ASK\nPREFIX select: <a:b> BASE <http://ask/>\nselect*{}", "SELECT"),
        ('VERSION "1.2" ASK {}', "ASK"),
        ("PREFIXx:<a:b>CONSTRUCT WHERE { ?s ?p ?o }", "CONSTRUCT"),
        ("describe <a:b>", "DESCRIBE"),
        ("PREFIX e: <a:b> INSERT DATA {}", "UPDATE"),
        ("WITH <a:b> DELETE {} WHERE {}", "UPDATE"),
        ("LOAD <a:b>", "UPDATE"),
        ("", None),
        ("BASE <a:b>", None),
        ("{ SELECT * {} }", "SELECT"),
        ("hello", None),
    ],
)
def test_form(text: str, expected: str | None) -> None:
    assert form(text) == expected


PIECES = st.sampled_from(
    [
        *("SERVICE", "service ", "SILENT", " ", "\n", "#", ".", ";", ",", "?s", "?p", "?o", "1"),
        *("true", "''", "'", '"', "'''", '"""', "<http://h:80>", "e:a", "p:", "p:SERVICE", "q:"),
        *("SERVICEe:a", "SERVICE:a", "<", ">", FAR, FAR, GROUP, GROUP, "{", "}", "(", ")", "\\"),
        *("FILTER(1<2)", "FILTER(1<", "<x:d'a>", "<x:a#b>", "<'b>", "@en", "_:b", "^^", "0"),
    ]
)


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=12))
def test_what_reaches_out_is_refused(pieces: list[str]) -> None:
    text = f"{PREFIXES}SELECT * {{ ?s ?p {''.join(pieces)} }}"
    if reaches_out(text):
        with pytest.raises(QueryError):
            check(text)


@settings(max_examples=300)
@given(st.text())
def test_any_text_is_read_to_its_end(text: str) -> None:
    form(text)
    try:
        check(text)
    except QueryError as refusal:
        assert str(refusal)  # noqa: PT017 - refusing is allowed, failing is not


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ASK {}", None),
        ("ASK FROM <a:b> {}", (("a:b",), ())),
        ("ask from<a:b>from named<a:c>where{}", (("a:b",), ("a:c",))),
        ("PREFIX e: <http://e/> ASK FROM e:x\\-y {}", (("http://e/x-y",), ())),
        ("BASE <http://e/a/> ASK FROM <../b> {}", (("http://e/b",), ())),
        ("BASE <http://e/> PREFIX p: <p/> ASK FROM p:q {}", (("http://e/p/q",), ())),
        ("CONSTRUCT { ?s ?p ?o } FROM <a:\\u0062> WHERE { ?s ?p ?o }", (("a:b",), ())),
        ("SELECT (?a AS ?b) FROM <a:b> { ?s ?p 'FROM <a:c>' } # FROM <a:d>", (("a:b",), ())),
        ("ASK { ?from ?p <a:b> }", None),
        ("ASK FROM e:undeclared {}", None),
        ("ASK FROM", None),
    ],
)
def test_the_dataset_a_text_names(text: str, expected: object) -> None:
    assert examine(text).dataset == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ASK  { ?s\t?p ?o }", "ASK { ?s ?p ?o } # done", True),
        ("# a\nASK { ?s ?p ?o }", "ASK { ?s ?p ?o }", True),
        ("ASK { ?s ?p 'a  b' }", "ASK { ?s ?p 'a b' }", False),
        ("ASK { ?s ?p ?o }", "ask { ?s ?p ?o }", False),
        ("ASK { FILTER(1 -2) }", "ASK { FILTER(1 - 2) }", False),
        # What looks like an IRI may be a comparison and a comment up to the end of the line.
        ("ASK{FILTER(?a<?b#>\n&& ?x)}", "ASK{FILTER(?a<?b#> && ?x\n)}", False),
        ("ASK{FILTER(?a<'b'>  'c')}", "ASK{FILTER(?a<'b'> 'c')}", False),
    ],
)
def test_one_normal_form_says_one_thing(one: str, other: str, *, same: bool) -> None:
    assert (examine(one).normal == examine(other).normal) is same


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT ?now ?uuid { ?now <x:NOW()> 'RAND()' } # NOW()", True),
        ("PREFIX now: <x:> ASK { now:a ?p ?o }", True),
        ("SELECT (now() AS ?x) {}", False),
        ("SELECT (1+RAND() AS ?x) {}", False),
        ("SELECT (STRUUID () AS ?x) {}", False),
    ],
)
def test_what_changes_by_itself_is_told(text: str, *, expected: bool) -> None:
    assert examine(text).is_constant is expected


CALL = '("http://127.0.0.1:9/") AS ?x) {}'


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT (<bif:http_get>{CALL}",
        f"SELECT (<BIF:http_get>{CALL}",
        f"SELECT (<\\u0062if:http_get> # (\n{CALL}",
        f"PREFIX bif: <bif:> SELECT (bif:http_get{CALL}",
        f"PREFIX b: <bif:> SELECT (b:http_get{CALL}",
        f"SELECT (<LONG::bif:http_get>{CALL}",
        f"PREFIX b: <LONG:> SELECT (b::bif:http_get{CALL}",
        f"SELECT (<sql:SPARQL_EVAL>{CALL}",
        f"BASE <bif:> SELECT (<http_get>{CALL}",
        f"BASE <http://e/> PREFIX : <> SELECT (:http_get{CALL}",
        f"BASE <http://e/> SELECT (<http_get>{CALL}",
        "SELECT * { ?s <bif:contains> 'a' }",
        "SELECT * { FILTER(1<'>' || 2 > 1) BIND(<bif:http_get>('a') AS ?x) FILTER('' != 'b') }",
    ],
)
def test_procedures_of_an_engine_are_not_called(text: str) -> None:
    with pytest.raises(QueryForbidden):
        check_portable(text)


@pytest.mark.parametrize(
    "text",
    [
        "PREFIX e: <http://e/> SELECT (e:f(1) AS ?x) { ?s <mailto:a> <tel:1> , <relative> }",
        "PREFIX : <urn:x:> SELECT (<https://e/f>(?a) AS ?x) { ?s :p (1 2) }",
        "SELECT * { ?a ?b ?c FILTER(?a<?b&&?b>?c) }",
        "SELECT * { ?s ?p '<bif:http_get>(' } # <bif:http_get>(",
    ],
)
def test_names_of_the_standard_pass(text: str) -> None:
    check_portable(text)


QUOTES = st.text(st.sampled_from("\"'\\\n\ra<># "), max_size=40)


@given(QUOTES, st.sampled_from(['"', "'", '"""', "'''"]))
def test_the_ends_of_strings_are_those_the_expressions_find(text: str, mark: str) -> None:
    """Many strings are read otherwise than some, and to the same end."""
    ends = lexer._ends(text, mark)
    for place in range(len(text)):
        found = lexer._STRINGS[mark].match(text, place)
        assert ends[place] == (found.end() if found else 0)


PARTS = [
    '"\\', "'\\", "'#", "<'#>", "<a'b#c>", "<'", "<#", "'", '"', "''", "'''", "<", "\\", "a.",
    ":...", "(", "1+", ")SERVICE", "//:", ":]", "BASE <a/>", "BASE <http://x/a/a/a/>FROM <b> ",
    "PREFIX a:<b> ", "service:x ",
    "PREFIX ", "\u00a0", "\u00a0'", "é:.", "_:", "@a-", ".", "FROM ", "a" * 50,
]  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_time_grows_with_the_length(part: str) -> None:
    """Twice the text takes about twice as long; what is quadratic takes four times."""
    for head, tail in (("", ""), ("<//", "/>")):
        for work in (examine, check_portable, plain, prefixes):
            small, large = (
                seconds(work, head + part * (n // len(part)) + tail) for n in (2000, 8000)
            )
            assert large < 9 * small + 0.02, (work.__name__, head, tail)


def seconds(work: Callable[[str], object], text: str) -> float:
    """Return the least of some times of this process."""
    found = []
    for _ in range(2):
        start = time.process_time()
        with suppress(QueryError):
            work(text)
        found.append(time.process_time() - start)
    return min(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufeffASK {}", "ASK {}"),
        ("SELECT\u00a0*\u202f{\u2003?s ?p\u200b?o\u00a0}", "SELECT * { ?s ?p ?o }"),
        (
            'ASK { ?s ?p "a\u00a0b", <http://e/a\u00a0b>\u00a0}',
            'ASK { ?s ?p "a\u00a0b", <http://e/a\u00a0b> }',
        ),
        ("ASK {} # a\u00a0b", "ASK {} # a\u00a0b"),
        ("ASK { ?\u1680a ?p ?o }", "ASK { ?\u1680a ?p ?o }"),
        ("ASK {}", "ASK {}"),
    ],
)
def test_a_query_is_read_as_its_writer_sees_it(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_prefixes_that_are_used_and_not_declared() -> None:
    text = "PREFIX e: <http://e/> SELECT * { e:a f:b 'g:c', <h:d>, _:i ; :j ?k } # l:m"
    assert prefixes(text) == {"f", "_", ""}
