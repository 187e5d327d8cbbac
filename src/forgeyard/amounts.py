"""Amounts in words: spans of time and sizes, alike on pages and on the command line."""

from __future__ import annotations

#: What stands where an amount is not known.
UNKNOWN = "–"


def span(seconds: float | None) -> str:
    """``0.4 s``, ``41 s``, ``3 min 20 s``, ``2 h 05 min``, ``3 days``."""
    if seconds is None:
        return UNKNOWN
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} days"


def size(amount: float | None) -> str:
    """Bytes as ``512 B``, ``1.5 KiB``, ``23 MiB``."""
    if amount is None:
        return UNKNOWN
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if amount >= 10 or unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
