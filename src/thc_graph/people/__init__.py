"""People: who may come in, and what for."""
