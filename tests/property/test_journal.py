"""No change of a journal goes unseen."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from forgeyard.errors import BadInput
from forgeyard.governance.journal import Entry, append, verify

NOW = datetime(2026, 1, 1, tzinfo=UTC)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
details = st.dictionaries(st.text(max_size=5), json_values, max_size=3)


def journal(given_details: list[dict[str, object]]) -> list[Entry]:
    entries: list[Entry] = []
    for detail in given_details:
        last = entries[-1] if entries else None
        entries.append(append(last, at=NOW, actor="a", action="b", subject="c", detail=detail))
    return entries


@given(st.lists(details, min_size=2, max_size=6), st.data())
def test_removing_or_changing_shows(found: list[dict[str, object]], data: st.DataObject) -> None:
    try:
        entries = journal(found)
    except BadInput:
        # Infinite numbers are no JSON.
        return
    assert verify(entries) is None
    at = data.draw(st.integers(0, len(entries) - 2))
    assert verify(entries[:at] + entries[at + 1 :]) == at + 1
    other = msgspec.structs.replace(entries[at], subject=data.draw(st.text(min_size=2, max_size=5)))
    try:
        assert verify([*entries[:at], other, *entries[at + 1 :]]) == at + 1
    except UnicodeEncodeError:
        raise AssertionError("a journal must be verifiable whatever is in it") from None
