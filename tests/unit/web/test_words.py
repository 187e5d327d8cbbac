"""How values look on a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forgeyard.builds.outcome import Outcome
from forgeyard.web.pages import words

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_word_and_a_sign(outcome: Outcome) -> None:
    found = words.state_words("done", outcome.value)
    assert found.word and found.sign
    assert (found.tone == "good") == outcome.good


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"), (0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 00 s"),
        (200, "3 min 20 s"), (3599.6, "1 h 00 min"), (7500, "2 h 05 min"), (4 * 86400, "4 days"),
    ],
)  # fmt: skip
def test_spans(seconds: float | None, text: str) -> None:
    assert words.span(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (23 * 2**20, "23 MiB"), (2**41, "2.0 TiB")],
)
def test_sizes(amount: int, text: str) -> None:
    assert words.size(amount) == text


def test_instants_have_their_whole_self_as_title() -> None:
    told = words.instant(NOW - timedelta(minutes=3), NOW)
    assert "3 min ago</time>" in told and 'title="2026-11-22 11:57:00 UTC"' in told


def test_a_variant_is_told_by_what_varies() -> None:
    used = {
        "python": "3.11.* *_cpython",
        "zlib": "1.2",
        "target_platform": "linux-64",
        "c_compiler": "gcc",
        "python_source": "https://example.org/python.tgz",
        "python_sha256": "2411c74bda5bbcfcddaf4531f66d1adc73f247f529aee981b029513aefdbf849",
    }
    assert words.variant_words(used, {"python", "python_source"}) == "python 3.11"
    assert words.variant_words(used, None) == "python 3.11, zlib 1.2"
    assert words.variant_words({"target_platform": "linux-64"}) == "–"
