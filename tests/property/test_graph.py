"""What must hold of every dependency graph."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from forgeyard.graph import CycleError, DependencyGraph

Edges = dict[int, set[int]]

any_edges = st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 12), max_size=5))
#: Edges only go to smaller numbers, so there is no cycle.
acyclic_edges = any_edges.map(
    lambda edges: {node: {need for need in needs if need < node} for node, needs in edges.items()}
)


@given(any_edges)
def test_either_an_order_or_a_cycle(edges: Edges) -> None:
    graph = DependencyGraph(edges)
    cycle = graph.find_cycle()
    try:
        place = {node: i for i, node in enumerate(graph.order())}
    except CycleError as error:
        assert cycle is not None
        assert error.cycle == cycle
    else:
        assert cycle is None
        assert all(place[need] < place[node] for node, needs in edges.items() for need in needs)
        assert place.keys() == set(graph.nodes)


@given(any_edges)
def test_a_cycle_is_a_closed_path_along_needs(edges: Edges) -> None:
    cycle = DependencyGraph(edges).find_cycle()
    if cycle is not None:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(b in edges[a] for a, b in pairwise(cycle))


@given(any_edges, st.data())
def test_dependents_are_the_closure_seen_from_the_other_side(
    edges: Edges, data: st.DataObject
) -> None:
    graph = DependencyGraph(edges)
    if not graph.nodes:
        return
    node = data.draw(st.sampled_from(graph.nodes))
    expected = {other for other in graph.nodes if node in graph.closure([other])} - {node}
    assert graph.dependents([node]) == expected


@given(acyclic_edges)
def test_critical_path_is_the_heaviest_of_all_paths(edges: Edges) -> None:
    graph = DependencyGraph(edges)

    def heaviest(node: int) -> float:
        return node + 1 + max(map(heaviest, graph.needed_by(node)), default=0)

    assert graph.critical_path_lengths(lambda node: node + 1) == {
        node: heaviest(node) for node in graph.nodes
    }


@given(any_edges, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(edges: Edges, draw: object) -> None:
    shuffled = list(edges.items())
    draw.shuffle(shuffled)  # type: ignore[attr-defined]
    assert DependencyGraph(dict(shuffled)).find_cycle() == DependencyGraph(edges).find_cycle()
