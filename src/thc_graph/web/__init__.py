"""HTTP and nothing but: pages, data and SPARQL over a `Service`."""
