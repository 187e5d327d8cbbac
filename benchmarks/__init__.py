"""Benchmarks: ``make bench-NAME`` prints a table and writes ``results/NAME.json``."""
