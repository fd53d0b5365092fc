"""SPARQL over HTTP, and the page to ask in."""
