"""The reference territories, made from registries: sources, names, rows, coordinates."""
