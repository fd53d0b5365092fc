"""Files: what those who work elsewhere take away."""
