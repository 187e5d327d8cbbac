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
