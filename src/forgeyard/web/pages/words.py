"""How values look on a page: instants, spans, sizes, states."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from markupsafe import Markup, escape


class StateWords(msgspec.Struct, frozen=True, kw_only=True):
    """A state in a word, a sign and a colour; never by colour alone."""

    word: str
    sign: str
    #: ``good``, ``bad``, ``busy``, ``wait`` or ``off``.
    tone: str


_OUTCOMES = {
    "succeeded": ("published", "✓", "good"),
    "unchanged": ("unchanged", "=", "good"),
    "failed": ("failed", "✕", "bad"),
    "dependency_failed": ("dependency failed", "⊘", "warn"),
    "timed_out": ("timed out", "✕", "bad"),
    "silent": ("fell silent", "✕", "bad"),
    "log_limit": ("log too long", "✕", "bad"),
    "disk_limit": ("disk limit", "✕", "bad"),
    "out_of_memory": ("out of memory", "✕", "bad"),
    "infrastructure": ("trouble in the yard", "!", "bad"),
    "cancelled": ("cancelled", "–", "off"),
    "denied": ("denied", "⊘", "bad"),
    "superseded": ("superseded", "–", "off"),
    "not_reproducible": ("not reproducible", "≠", "bad"),
}
_STATES = {
    "waiting": ("waiting", "◌", "wait"),
    "ready": ("in the queue", "○", "wait"),
    "running": ("running", "●", "busy"),
    "done": ("done", "✓", "good"),
}
_STEPS = {"build": "building", "test": "testing", "publish": "publishing"}


def state_words(state: str, outcome: str | None = None, step: str | None = None) -> StateWords:
    """The words of a build's or an attempt's state."""
    word, sign, tone = _OUTCOMES.get(outcome or "") or _STATES.get(state, (state, "•", "off"))
    if state == "running" and not outcome and step:
        word = _STEPS.get(step, word)
    return StateWords(word=word, sign=sign, tone=tone)


def count_words(key: str) -> StateWords:
    """The words of a key of counts: a state or an outcome."""
    return state_words(key, key if key in _OUTCOMES else None)


def attempt_words(state: str, outcome: str | None) -> StateWords:
    """The words of an attempt's state."""
    found = state_words(state, outcome)
    if outcome == "succeeded":
        return StateWords(word="passed", sign=found.sign, tone=found.tone)
    return found


def roughly(seconds: float | None) -> str:
    """An estimate, with no more precision than it has."""
    if seconds is None:
        return "–"
    if seconds < 5:
        return "a few seconds"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def plural(amount: int, one: str, many: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{number(amount)} {one if amount == 1 else many or one + 's'}"


def number(amount: float) -> str:
    """With thin spaces between thousands."""
    return f"{amount:,.0f}".replace(",", "\u202f")


def instant(at: datetime | None, now: datetime) -> Markup:
    """``3 min ago`` with the whole instant as its title."""
    if at is None:
        return Markup("–")
    passed = (now - at).total_seconds()
    words = "just now" if passed < 5 else f"{_ago(passed)} ago"
    exact = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), exact, words)


def _ago(passed: float) -> str:
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (48 * 3600, 3600, "h")):
        if passed < limit:
            return f"{int(passed // unit)} {name}"
    days = int(passed // 86400)
    return f"{days} days" if days < 60 else f"{days // 30} months"


#: Keys that say where, not which of several.
_DULL = {"target_platform", "build_platform", "host_platform", "channel_targets", "channel_sources"}
#: Longer values are addresses and digests, which tell a person nothing.
_LONGEST_VALUE = 24


def variant_words(variant: Mapping[str, Any], moving: Collection[str] | None = None) -> str:
    """``python 3.11`` of a used variant; ``–`` when there is only one way.

    ``moving`` are the keys that have several values in the pinning; None: not known.
    """
    told = [
        f"{key.replace('_', '-')} {_value(variant[key])}"
        for key in sorted(variant)
        if (moving is None or key in moving) and _tells(key, variant[key])
    ]
    return ", ".join(told) or "–"


def _tells(key: str, value: Any) -> bool:
    dull = key in _DULL or key.startswith(("external_", "c_stdlib")) or "compiler" in key
    return not dull and len(_value(value)) <= _LONGEST_VALUE and "://" not in str(value)


def _value(value: Any) -> str:
    text = str(value)
    return text.split(" ")[0].removesuffix(".*")


def wrapped(text: str) -> Markup:
    """A long name that may break after dashes, dots and underscores."""
    safe = str(escape(text))
    for sign in "-_./":
        safe = safe.replace(sign, f"{sign}<wbr>")
    return Markup(safe)  # noqa: S704 - escaped above
