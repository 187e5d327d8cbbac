"""Rendering: from a feedstock's files and the pinning to the wanted outputs.

The recipe engine runs in a child process with an empty environment and limits, because
a recipe is a stranger's template and must not see the yard's environment nor hold it up.
"""
