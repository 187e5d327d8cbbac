"""Forgeyard: conda-forge as one piece of software that anyone can run."""

__version__ = "0.1.0"
