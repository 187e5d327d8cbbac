"""Who goes where, and what is said to those that do not."""

from __future__ import annotations

from forgeyard.farm.matching import Work, match
from forgeyard.farm.pool import Pool, Resources

GIB = 2**30


def pool(name: str = "local", **values: object) -> Pool:
    plain = {
        "name": name,
        "platform": "linux-64",
        "capacity": Resources(cpu=2, memory_bytes=8 * GIB, disk_bytes=100 * GIB, gpus=0),
    }
    return Pool(**(plain | values))  # type: ignore[arg-type]


def work(build_id: str, **resources: int) -> Work:
    return Work(
        build_id=build_id,
        feedstock="zlib",
        platform="linux-64",
        resources=Resources(**resources),  # type: ignore[arg-type]
    )


def test_a_pool_is_filled_in_order_and_never_over() -> None:
    offers, refusals = match([work("b1"), work("b2"), work("b3")], [pool()], {})
    assert [offer.build_id for offer in offers] == ["b1", "b2"]
    assert [(r.build_id, r.code, r.lasting) for r in refusals] == [("b3", "busy", False)]
    assert refusals[0].reason == "all its cpu is in use"


def test_what_runs_already_counts() -> None:
    offers, _ = match([work("b1"), work("b2")], [pool()], {"local": Resources(cpu=1)})
    assert [offer.build_id for offer in offers] == ["b1"]


def test_work_that_fits_nowhere_does_not_hold_up_the_rest() -> None:
    offers, refusals = match([work("big", gpus=1), work("small")], [pool()], {})
    assert [offer.build_id for offer in offers] == ["small"]
    assert (refusals[0].code, refusals[0].lasting) == ("too_small", True)
    assert "GPUs" in refusals[0].reason


def test_each_pool_says_why_not() -> None:
    pools = [
        pool("arm", platform="linux-aarch64"),
        pool("ours", feedstocks=("ours-*",)),
        pool("leaving", draining=True),
    ]
    _, refusals = match([work("b")], pools, {})
    assert {r.pool: r.code for r in refusals} == {
        "arm": "platform",
        "ours": "not_allowed",
        "leaving": "draining",
    }


def test_the_second_pool_takes_what_the_first_cannot() -> None:
    offers, _ = match([work("b1"), work("b2"), work("b3")], [pool("a"), pool("b")], {})
    assert [(o.build_id, o.pool) for o in offers] == [("b1", "a"), ("b2", "a"), ("b3", "b")]
