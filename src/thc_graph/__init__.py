"""thc-graph: sheets come in; entities, lists and SPARQL go out.

The floors, each importing only those before it: errors, rdf, schema, store,
people | names | search | entities | lists | versions | figures, sheets, instance, web, cli.
"""


def __getattr__(name: str) -> str:
    """Read the version where it is asked for: children that start in 30 ms ask for none."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import version  # noqa: PLC0415

    return version("thc-graph")
