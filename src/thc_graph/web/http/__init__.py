"""HTTP: routes, negotiation, answers and limits, whatever they are about."""
