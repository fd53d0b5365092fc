"""Tables: files of rows, read behind walls and written without formulas."""
