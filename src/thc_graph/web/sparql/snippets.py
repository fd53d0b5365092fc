"""Snippets: a query as a few lines of the languages people paste it into.

The query stands in each as it was written, in a quotation that nothing in it can close.
"""

from collections.abc import Callable
from typing import Final


def curl(endpoint: str, query: str, accept: str) -> str:
    mark = "SPARQL"
    while mark in query.splitlines():
        mark += "_"
    return (
        f"curl --silent --show-error '{endpoint}' \\\n"
        f"  --header 'Accept: {accept}' \\\n"
        f"  --data-urlencode query@- <<'{mark}'\n{query}\n{mark}\n"
    )


def python(endpoint: str, query: str, accept: str) -> str:
    form = "JSON" if "json" in accept else "TURTLE"
    return (
        "# pip install SPARQLWrapper\n"
        f"from SPARQLWrapper import {form}, POST, SPARQLWrapper\n\n"
        f'service = SPARQLWrapper("{endpoint}")\n'
        f"service.setQuery({_python_text(query)})\n"
        f"service.setMethod(POST)\nservice.setReturnFormat({form})\n"
        + (
            'for row in service.queryAndConvert()["results"]["bindings"]:\n'
            '    print({name: term["value"] for name, term in row.items()})\n'
            if form == "JSON"
            else "print(service.query().response.read().decode())\n"
        )
    )


def r(endpoint: str, query: str, accept: str) -> str:
    table = (
        'read.csv(text = content(reponse, "text"))'
        if "json" in accept
        else 'content(reponse, "text")'
    )
    kind = "text/csv" if "json" in accept else accept
    dashes = "-"
    while f'){dashes}"' in query:
        dashes += "-"
    return (
        '# install.packages("httr"), R 4 or later\nlibrary(httr)\n\n'
        f'requete <- r"{dashes}({query}){dashes}"\n'
        f'reponse <- POST("{endpoint}", accept("{kind}"),\n'
        '                body = list(query = requete), encode = "form")\n'
        f"{table}\n"
    )


def javascript(endpoint: str, query: str, accept: str) -> str:
    written = query.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    read = (
        "(await response.json()).results.bindings" if "json" in accept else "await response.text()"
    )
    return (
        f"const query = `{written}`;\n"
        f'const response = await fetch("{endpoint}", {{\n'
        f'  method: "POST",\n  headers: {{ Accept: "{accept}" }},\n'
        "  body: new URLSearchParams({ query }),\n});\n"
        f"console.log({read});\n"
    )


def _python_text(query: str) -> str:
    """Return a Python literal of the query, readable where it can be."""
    if '"""' in query or "\\" in query or query.endswith('"'):
        return repr(query)
    return f'"""\n{query}\n"""'


SNIPPETS: Final[dict[str, Callable[[str, str, str], str]]] = {
    "curl": curl,
    "Python": python,
    "R": r,
    "JavaScript": javascript,
}
