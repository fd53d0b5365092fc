"""Lists: the entities of a kind, narrowed by facets and words, a page at a time.

The address of a list is its whole state. The index says what is on it, how many meet
each facet and in what order; the store says what a row tells beside the name. What the
index finds, a stored query finds too: it is the query shown on the page.
"""
