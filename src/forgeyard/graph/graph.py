"""The dependency graph: order, cycles, closures and critical paths.

Names are any hashable values outside and small integers inside, so that one pass over a
graph of conda-forge's size (30 000 nodes, 500 000 edges) takes a fraction of a second.
An edge goes from a node to what it needs; a node that only ever appears as a need is a
node like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from forgeyard.errors import BadInput, NotFound

K = TypeVar("K", bound=Hashable)


class CycleError(BadInput):
    """The graph has no order, because some nodes need each other."""

    code = "dependency_cycle"

    def __init__(self, cycle: Sequence[Any]) -> None:
        super().__init__(
            "These need each other: " + " → ".join(str(node) for node in cycle),
            hint="Break the circle: build one of them in a bootstrap variant without the other.",
        )
        self.cycle = list(cycle)


class UnknownNode(NotFound):
    """A node was asked about that the graph does not hold."""

    code = "unknown_node"


class DependencyGraph(Generic[K]):
    """What needs what.  Immutable; every answer is independent of the input's order."""

    def __init__(self, edges: Mapping[K, Iterable[K]]) -> None:
        wanted = {node: tuple(needs) for node, needs in edges.items()}
        seen = dict.fromkeys(wanted)
        for needs in wanted.values():
            seen.update(dict.fromkeys(needs))
        self._names: list[K] = _sorted(seen)
        self._number: dict[K, int] = {name: i for i, name in enumerate(self._names)}
        number = self._number
        self._needs: list[list[int]] = [[] for _ in self._names]
        self._needed_by: list[list[int]] = [[] for _ in self._names]
        for node, needs in wanted.items():
            here = number[node]
            # Sorted so that every walk is deterministic; a set because a need counts once.
            self._needs[here] = there = sorted({number[need] for need in needs})
            for i in there:
                self._needed_by[i].append(here)
        for dependents in self._needed_by:
            dependents.sort()

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, node: object) -> bool:
        return node in self._number

    @property
    def nodes(self) -> tuple[K, ...]:
        """Every node, sorted."""
        return tuple(self._names)

    def needs(self, node: K) -> tuple[K, ...]:
        """What ``node`` needs directly."""
        return tuple(self._names[i] for i in self._needs[self._find(node)])

    def needed_by(self, node: K) -> tuple[K, ...]:
        """What needs ``node`` directly."""
        return tuple(self._names[i] for i in self._needed_by[self._find(node)])

    def order(self) -> list[K]:
        """Every node after all that it needs; ties by name.  Raises CycleError."""
        return [self._names[i] for wave in self._waves() for i in wave]

    def waves(self) -> list[list[K]]:
        """Nodes in rounds: each round needs only earlier ones.  Raises CycleError."""
        return [[self._names[i] for i in wave] for wave in self._waves()]

    def find_cycle(self) -> list[K] | None:
        """One circle as a path ``a, b, …, a`` along needs, or None if there is none."""
        numbers = self._find_cycle()
        return None if numbers is None else [self._names[i] for i in numbers]

    def closure(self, nodes: Iterable[K]) -> set[K]:
        """The nodes and all that they need, directly or not."""
        return {self._names[i] for i in self._reach(nodes, self._needs)}

    def dependents(self, nodes: Iterable[K]) -> set[K]:
        """All that need any of the nodes, directly or not; without the nodes themselves."""
        given = list(nodes)
        reached = {self._names[i] for i in self._reach(given, self._needed_by)}
        return reached.difference(given)

    def critical_path_lengths(self, weight: Callable[[K], float]) -> dict[K, float]:
        """For each node the heaviest path from it down to one that nothing needs.

        Own weight and the largest length among the dependents: what waits longest behind
        a node, so the scheduler starts the largest first.  Raises CycleError.
        """
        lengths = [0.0] * len(self._names)
        needed_by = self._needed_by
        for wave in reversed(self._waves()):
            for i in wave:
                behind = max((lengths[j] for j in needed_by[i]), default=0.0)
                lengths[i] = weight(self._names[i]) + behind
        return dict(zip(self._names, lengths, strict=True))

    def _find(self, node: K) -> int:
        try:
            return self._number[node]
        except KeyError:
            raise UnknownNode(f"{node} is not in the graph") from None

    def _waves(self) -> list[list[int]]:
        missing = [len(needs) for needs in self._needs]
        wave = [i for i, count in enumerate(missing) if not count]
        waves: list[list[int]] = []
        while wave:
            waves.append(wave)
            following = []
            for i in wave:
                for j in self._needed_by[i]:
                    missing[j] -= 1
                    if not missing[j]:
                        following.append(j)
            following.sort()
            wave = following
        if sum(map(len, waves)) < len(self._names):
            raise CycleError(self.find_cycle() or [])
        return waves

    def _reach(self, nodes: Iterable[K], edges: list[list[int]]) -> set[int]:
        reached = {self._find(node) for node in nodes}
        todo = list(reached)
        while todo:
            for j in edges[todo.pop()]:
                if j not in reached:
                    reached.add(j)
                    todo.append(j)
        return reached

    def _find_cycle(self) -> list[int] | None:
        # Depth first without recursion: conda-forge's paths are deeper than Python's stack.
        done = bytearray(len(self._names))
        for start in range(len(self._names)):
            if done[start]:
                continue
            path, on_path = [start], {start}
            walks = [iter(self._needs[start])]
            while walks:
                following = next(walks[-1], None)
                if following is None:
                    walks.pop()
                    leaving = path.pop()
                    on_path.remove(leaving)
                    done[leaving] = 1
                elif following in on_path:
                    return [*path[path.index(following) :], following]
                elif not done[following]:
                    path.append(following)
                    on_path.add(following)
                    walks.append(iter(self._needs[following]))
        return None


def _sorted(names: Iterable[K]) -> list[K]:
    """Sorted by value, or by text where the values have no order of their own."""
    given: list[Any] = list(names)
    try:
        return sorted(given)
    except TypeError:
        return sorted(given, key=lambda name: (type(name).__name__, repr(name)))
