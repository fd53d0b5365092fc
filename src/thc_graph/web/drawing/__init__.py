"""Drawing: charts, maps and answers as pictures and tables."""
