"""The dependency graph on graphs small enough to check by eye, and on a large one."""

from __future__ import annotations

import random

import pytest

from forgeyard.graph import CycleError, DependencyGraph, UnknownNode

ZLIB = {"curl": ["openssl", "zlib"], "openssl": ["zlib"], "git": ["curl"], "tree": []}


class TestOrder:
    def test_every_node_comes_after_its_needs(self) -> None:
        assert DependencyGraph(ZLIB).order() == ["tree", "zlib", "openssl", "curl", "git"]

    def test_does_not_depend_on_the_order_of_the_input(self) -> None:
        backwards = {node: list(reversed(needs)) for node, needs in reversed(ZLIB.items())}
        assert DependencyGraph(backwards).order() == DependencyGraph(ZLIB).order()

    def test_takes_names_without_an_order_of_their_own(self) -> None:
        graph = DependencyGraph({("a", 1): [2], 2: ["x"]})
        assert graph.order() == ["x", 2, ("a", 1)]

    def test_a_cycle_is_an_error_that_shows_it(self) -> None:
        with pytest.raises(CycleError, match="gcc → libc → gcc") as caught:
            DependencyGraph({"gcc": ["libc"], "libc": ["gcc"]}).order()
        assert caught.value.cycle == ["gcc", "libc", "gcc"]

    def test_waves(self) -> None:
        assert DependencyGraph(ZLIB).waves() == [
            ["tree", "zlib"],
            ["openssl"],
            ["curl"],
            ["git"],
        ]

    def test_empty(self) -> None:
        graph: DependencyGraph[str] = DependencyGraph({})
        assert graph.order() == []
        assert graph.find_cycle() is None


class TestCycle:
    def test_none(self) -> None:
        assert DependencyGraph(ZLIB).find_cycle() is None

    def test_a_node_that_needs_itself(self) -> None:
        assert DependencyGraph({"a": ["a"]}).find_cycle() == ["a", "a"]

    def test_leaves_out_the_way_to_the_circle(self) -> None:
        graph = DependencyGraph({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["b"]})
        assert graph.find_cycle() == ["b", "c", "d", "b"]

    def test_deeper_than_the_stack(self) -> None:
        deep = {i: [i + 1] for i in range(20_000)}
        assert DependencyGraph(deep).find_cycle() is None
        assert DependencyGraph(deep | {20_000: [19_999]}).find_cycle() == [19_999, 20_000, 19_999]


class TestReach:
    def test_closure_holds_the_nodes_and_their_needs(self) -> None:
        assert DependencyGraph(ZLIB).closure(["curl"]) == {"curl", "openssl", "zlib"}

    def test_dependents_leave_out_the_nodes(self) -> None:
        graph = DependencyGraph(ZLIB)
        assert graph.dependents(["openssl"]) == {"curl", "git"}
        assert graph.dependents(["openssl", "curl"]) == {"git"}

    def test_direct(self) -> None:
        graph = DependencyGraph(ZLIB)
        assert graph.needs("curl") == ("openssl", "zlib")
        assert graph.needed_by("zlib") == ("curl", "openssl")

    def test_unknown(self) -> None:
        with pytest.raises(UnknownNode, match="perl"):
            DependencyGraph(ZLIB).closure(["perl"])


def test_critical_path_counts_what_waits_behind() -> None:
    minutes = {"zlib": 1.0, "openssl": 5.0, "curl": 2.0, "git": 3.0, "tree": 0.5}
    assert DependencyGraph(ZLIB).critical_path_lengths(minutes.__getitem__) == {
        "git": 3.0,
        "curl": 5.0,
        "openssl": 10.0,
        "zlib": 11.0,
        "tree": 0.5,
    }


def test_a_graph_of_the_size_of_conda_forge_is_ordered() -> None:
    draw = random.Random(7)
    edges: dict[str, list[str]] = {
        f"p{i:05}": [f"p{draw.randrange(i):05}" for _ in range(17)] if i else []
        for i in range(30_000)
    }
    graph = DependencyGraph(edges)
    ordered = graph.order()
    assert len(ordered) == 30_000
