"""The dependency graph."""

from forgeyard.graph.graph import CycleError, DependencyGraph, UnknownNode

__all__ = ["CycleError", "DependencyGraph", "UnknownNode"]
