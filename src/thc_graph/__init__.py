"""thc-graph: sheets come in; entities, lists and SPARQL go out.

The floors, each importing only those before it: errors, rdf, schema, store,
sheets | entities | lists, settings, service, web, cli.
"""

from importlib.metadata import version

__version__ = version("thc-graph")
