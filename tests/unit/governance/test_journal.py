"""The journal's chain."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from forgeyard.errors import BadInput
from forgeyard.governance.journal import GENESIS, Entry, append, chain, verify

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


def journal(count: int) -> list[Entry]:
    entries: list[Entry] = []
    for i in range(count):
        entries.append(
            append(
                entries[-1] if entries else None,
                at=NOW + timedelta(seconds=i),
                actor="ada",
                action="build.submit",
                subject=f"feedstock:p{i}",
                detail={"i": i, "names": ["ü", "b"], "nothing": None},
            )
        )
    return entries


def test_begins_with_genesis_and_counts_from_1() -> None:
    first, second = journal(2)
    assert (first.seq, first.previous) == (1, GENESIS)
    assert (second.seq, second.previous) == (2, first.digest)


def test_a_whole_chain() -> None:
    assert verify([]) is None
    assert verify(journal(5)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOW},
        {"actor": "eve"},
        {"action": "build.cancel"},
        {"subject": "feedstock:other"},
        {"detail": {}},
        {"previous": GENESIS},
        {"digest": GENESIS},
        {"seq": 9},
    ],
)
def test_any_change_shows(change: dict[str, Any]) -> None:
    entries = journal(5)
    entries[2] = msgspec.structs.replace(entries[2], **change)
    assert verify(entries) == 3


def test_a_change_whose_digest_was_made_to_fit_shows_at_the_next_entry() -> None:
    entries = journal(5)
    entries[2] = append(entries[1], at=NOW, actor="eve", action="x", subject="y", detail={})
    assert verify(entries) == 4


def test_removed_and_moved_entries_show() -> None:
    entries = journal(5)
    assert verify(entries[:1] + entries[2:]) == 2
    assert verify(entries[1:]) == 1
    assert verify([entries[0], entries[2], entries[1]]) == 2


def test_can_be_verified_in_parts() -> None:
    entries = journal(6)
    assert verify(entries[3:], last=entries[2]) is None
    assert verify(entries[4:], last=entries[2]) == 4


def test_survives_a_journey_through_json_and_another_zone() -> None:
    for entry in journal(2):
        again = msgspec.json.decode(msgspec.json.encode(entry), type=Entry)
        moved = msgspec.structs.replace(again, at=again.at.astimezone(timezone(timedelta(hours=5))))
        assert moved.digest == chain(
            moved.previous,
            seq=moved.seq,
            at=moved.at,
            actor=moved.actor,
            action=moved.action,
            subject=moved.subject,
            detail=moved.detail,
        )


@pytest.mark.parametrize("detail", [{"at": NOW}, {"x": float("nan")}, {"s": "\ud800"}, {"y": {1}}])
def test_only_json_can_be_written(detail: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        append(None, at=NOW, actor="a", action="b", subject="c", detail=detail)


def test_keys_and_lists_are_digested_as_they_will_be_read_back() -> None:
    def digest(detail: dict[Any, Any]) -> str:
        return chain(GENESIS, seq=1, at=NOW, actor="a", action="b", subject="c", detail=detail)

    assert digest({9: 1, 10: (1, 2)}) == digest({"9": 1, "10": [1, 2]})


def test_the_digest_is_written_in_stone() -> None:
    """Journals are kept for decades: the form that is digested must never change."""
    text = (
        '{"action":"a","actor":"ada","at":"2026-11-22T18:30:00.000000+00:00",'
        '"detail":{"ä":[1,2.5]},"previous":"' + "0" * 64 + '","seq":1,"subject":"s"}'
    )
    assert (
        chain(GENESIS, seq=1, at=NOW, actor="ada", action="a", subject="s", detail={"ä": [1, 2.5]})
        == hashlib.sha256(text.encode()).hexdigest()
    )
