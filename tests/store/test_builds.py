"""The queue and its bookkeeping, on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from forgeyard.builds.job import Source
from forgeyard.builds.machine import State
from forgeyard.builds.outcome import Failure
from forgeyard.errors import Where
from forgeyard.farm.pool import Resources
from forgeyard.recipes.rendered import Requirements
from forgeyard.store import builds, feedstocks
from forgeyard.store.engine import Store
from forgeyard.store.tables import builds as builds_table
from forgeyard.store.tables import settings

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


def build_row(build_id: str, **values: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": build_id,
        "batch": "s1",
        "feedstock_id": "f1",
        "feedstock_name": "zlib",
        "feedstock_digest": "d" * 64,
        "recipe_path": "recipe.yaml",
        "input_key": f"key-{build_id}",
        "name": "zlib",
        "version": "1.3",
        "build_string": "h0_0",
        "build_number": 0,
        "subdir": "linux-64",
        "build_platform": "linux-64",
        "target_platform": "linux-64",
        "used_variant": {"python": "3.11.*", "a": [1, True]},
        "variant": {},
        "requirements": Requirements(host=("python",)),
        "sources": (Source(urls=("pypi://a/b",), sha256="0" * 64),),
        "state": "ready",
        "step": "build",
        "tries": 0,
        "not_before": None,
        "failure": None,
        "priority": 1.0,
        "resources": Resources(cpu=2),
        "refused": False,
        "reason": "new",
        "reason_text": "never built",
        "submitted_by": "ada",
        "timestamp": 1,
        "created_at": NOW,
    }
    row = plain | values
    return row | {"rank": -row["priority"]}


@pytest.fixture
def yard_store(store: Store) -> Store:
    with store.write() as connection:
        feedstocks.put(
            connection,
            None,
            id="f1",
            name="zlib",
            origin="/x",
            origin_path=".",
            digest="d" * 64,
            recipe_path="recipe.yaml",
            maintainers=["ada"],
            added_by="ada",
            created_at=NOW,
            updated_at=NOW,
        )
    return store


def test_values_come_back_as_they_went_in(yard_store: Store) -> None:
    failure = Failure(code="x", message="y", where=Where(file="recipe.yaml", line=3))
    with yard_store.write() as connection:
        builds.add(connection, [build_row("b1", failure=failure)])
    with yard_store.read() as connection:
        row = builds.get(connection, "b1")
    assert row is not None
    assert row.failure == failure
    assert row.sources[0].urls == ("pypi://a/b",)
    assert row.resources == Resources(cpu=2)
    assert row.used_variant == {"python": "3.11.*", "a": [1, True]}
    assert row.created_at == NOW


def test_queue_gives_the_most_urgent_that_may_go_now(yard_store: Store) -> None:
    rows = [
        build_row("b1", priority=1.0),
        build_row("b2", priority=5.0),
        build_row("b3", priority=9.0, refused=True),
        build_row("b4", priority=9.0, not_before=100.0),
        build_row("b5", priority=9.0, state="waiting"),
        build_row("b6", priority=5.0),
        build_row("b7", priority=99.0, build_platform="linux-aarch64"),
    ]
    with yard_store.write() as connection:
        builds.add(connection, rows)
    with yard_store.read() as connection:
        assert [r.id for r in builds.queue(connection, 50.0, 10, ["linux-64"])] == [
            "b2",
            "b6",
            "b1",
        ]
        assert [r.id for r in builds.queue(connection, 150.0, 1, ["linux-64"])] == ["b4"]
        assert builds.queue(connection, 50.0, 10, []) == []
        both = ["linux-64", "linux-aarch64"]
        assert builds.queue(connection, 50.0, 1, both)[0].id == "b7"
        row = builds.get(connection, "b1")
        assert row is not None
        assert builds.ahead_of(connection, row) == 3


def test_dependencies_open_and_close(yard_store: Store) -> None:
    with yard_store.write() as connection:
        builds.add(connection, [build_row("b1"), build_row("b2"), build_row("b3", state="waiting")])
        builds.add_dependencies(connection, [("b3", "b1"), ("b3", "b2")])
    with yard_store.write() as connection:
        assert builds.waiting_for(connection, "b1") == ["b3"]
        builds.close_dependency(connection, "b3", "b1")
    with yard_store.read() as connection:
        row = builds.get(connection, "b3")
        assert builds.state_of(connection, row).open_dependencies == frozenset({"b2"})


def test_durations_follow_what_is_measured(yard_store: Store) -> None:
    with yard_store.write() as connection:
        for seconds in (30.0, 60.0):
            builds.record_duration(connection, "zlib", "linux-64", "build", seconds)
    with yard_store.read() as connection:
        assert builds.all_durations(connection) == {("zlib", "linux-64", "build"): 40.0}


def test_an_expectation_gives_way_to_the_first_measurement(yard_store: Store) -> None:
    with yard_store.write() as connection:
        builds.expect_duration(connection, "zlib", "linux-64", "build", 300.0)
        builds.record_duration(connection, "zlib", "linux-64", "build", 6.0)
        assert builds.all_durations(connection) == {("zlib", "linux-64", "build"): 6.0}


def test_the_newest_build_of_an_output_and_variant(yard_store: Store) -> None:
    later = NOW.replace(hour=13)
    with yard_store.write() as connection:
        builds.add(
            connection,
            [
                build_row("b1", used_variant={"python": "3.11", "z": 1}),
                build_row("b2", used_variant={"z": 1, "python": "3.11"}, created_at=later),
                build_row("b3", used_variant={"python": "3.13"}, created_at=later),
            ],
        )
    with yard_store.read() as connection:
        row = builds.latest_of_output(connection, "zlib", "linux-64", {"python": "3.11", "z": 1})
    assert row is not None
    assert row.id == "b2"


def test_a_writer_that_fails_changes_nothing(yard_store: Store) -> None:
    with pytest.raises(ZeroDivisionError), yard_store.write() as connection:
        builds.add(connection, [build_row("b1")])
        raise ZeroDivisionError
    with yard_store.read() as connection:
        assert builds.get(connection, "b1") is None


def test_writers_of_many_threads_lose_no_update(yard_store: Store) -> None:
    with yard_store.write() as connection:
        connection.execute(settings.insert().values(key="n", value="0"))

    def add_ten() -> None:
        for _ in range(10):
            with yard_store.write() as connection:
                n = int(connection.execute(select(settings.c.value)).scalar_one())
                connection.execute(settings.update().values(value=str(n + 1)))

    threads = [threading.Thread(target=add_ten) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with yard_store.read() as connection:
        assert connection.execute(select(settings.c.value)).scalar_one() == "80"


def test_a_reader_sees_one_moment(yard_store: Store) -> None:
    with yard_store.read() as reading:
        before = reading.execute(select(builds_table.c.id)).scalars().all()
        with yard_store.write() as connection:
            builds.add(connection, [build_row("b1", state=State.DONE.value)])
        assert reading.execute(select(builds_table.c.id)).scalars().all() == before == []


def test_refusals_are_replaced_and_forgotten(yard_store: Store) -> None:
    refusal = {"build_id": "b1", "pool": "local", "code": "too_small", "reason": "x", "at": NOW}
    with yard_store.write() as connection:
        builds.add(connection, [build_row("b1")])
        builds.put_refusals(connection, [refusal])
        builds.put_refusals(connection, [refusal | {"reason": "y"}])
        builds.mark_refused(connection, ["b1"])
        assert [r.reason for r in builds.refusals_of(connection, "b1")] == ["y"]
        assert builds.queue(connection, 0.0, 5, ["linux-64"]) == []
        builds.forget_refusals(connection)
        assert [r.id for r in builds.queue(connection, 0.0, 5, ["linux-64"])] == ["b1"]
