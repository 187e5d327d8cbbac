"""The command line.  One command per file, each a client of the HTTP API.

Data goes to standard output, everything else to standard error.  Nothing heavier than
click is imported before a command runs, so that ``--help`` answers at once.
"""
