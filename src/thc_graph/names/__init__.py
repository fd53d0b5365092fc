"""Names: from the words that people type to the things they mean."""
