"""Variant configuration: pinning, zip keys and the one variant of a build (CEP 45)."""
