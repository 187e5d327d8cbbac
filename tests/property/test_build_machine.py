"""The build machine under any order of events: nothing is lost, doubled or left hanging."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from forgeyard.builds.machine import (
    MOST_TRIES,
    AttemptEnded,
    BuildState,
    CancelAsked,
    DependencyDone,
    Dispatched,
    EndAttempt,
    Publish,
    PublishEnded,
    State,
    Step,
    TellDependents,
    initial,
    step,
)
from forgeyard.builds.outcome import Failure, Outcome

END_OUTCOMES = st.sampled_from(
    [
        Outcome.SUCCEEDED,
        Outcome.UNCHANGED,
        Outcome.FAILED,
        Outcome.TIMED_OUT,
        Outcome.SILENT,
        Outcome.OUT_OF_MEMORY,
        Outcome.INFRASTRUCTURE,
    ]
)
WORDS = Failure(code="x", message="y")


class Life(RuleBasedStateMachine):
    """One build, with messages that come late, twice, or from attempts given up."""

    attempts = Bundle("attempts")

    @initialize(needs=st.frozensets(st.sampled_from(["d1", "d2", "d3"])))
    def begin(self, needs: frozenset[str]) -> None:
        self.state: BuildState = initial(needs, memory_bytes=1)
        self.now = 1000.0
        self.count = 0
        self.told: list[Outcome] = []
        self.publishes = 0
        self.started: set[str] = set()
        self.ended: set[str] = set()
        self.to_end: set[str] = set()

    def feed(self, event: object) -> None:
        before = self.state
        self.now += 1
        self.state, instructions = step(before, event, self.now)  # type: ignore[arg-type]
        for instruction in instructions:
            match instruction:
                case TellDependents(outcome):
                    self.told.append(outcome)
                case Publish():
                    self.publishes += 1
                case EndAttempt(attempt_id):
                    self.to_end.add(attempt_id)
        if before.state is State.DONE:
            assert self.state == before
            assert not instructions

    @rule(name=st.sampled_from(["d1", "d2", "d3"]), outcome=st.sampled_from(list(Outcome)))
    def dependency(self, name: str, outcome: Outcome) -> None:
        waiting = self.state.state is State.WAITING and name in self.state.open_dependencies
        self.feed(DependencyDone(name, name, outcome))
        if waiting and not outcome.good:
            assert self.state.outcome is Outcome.DEPENDENCY_FAILED

    @rule(target=attempts)
    def dispatch(self) -> str:
        self.count += 1
        attempt = f"a{self.count}"
        ready = self.state.state is State.READY
        self.feed(Dispatched(attempt))
        if ready:
            assert self.state.attempt == attempt
            self.started.add(attempt)
        elif self.state.state is not State.DONE:
            assert attempt in self.to_end, "a second attempt has to be ended"
        return attempt

    @rule(attempt=attempts, outcome=END_OUTCOMES, most=st.sampled_from([0, 1, 8]))
    def end(self, attempt: str, outcome: Outcome, most: int) -> None:
        """May come again for an attempt that ended before."""
        before = self.state
        current = before.attempt == attempt and before.step is not Step.PUBLISH
        self.feed(AttemptEnded(attempt, outcome, WORDS, most))
        if before.attempt != attempt:
            assert self.state == before, "only the current attempt may act"
        if current and outcome is Outcome.INFRASTRUCTURE and self.state.state is State.READY:
            assert self.state.not_before is not None
            assert self.state.not_before > self.now

    @rule(attempt=consumes(attempts))
    def forget(self, attempt: str) -> None:
        """An attempt of which nothing more is heard."""
        self.ended.add(attempt)

    @rule(outcome=st.sampled_from([Outcome.SUCCEEDED, Outcome.UNCHANGED, Outcome.INFRASTRUCTURE]))
    def published(self, outcome: Outcome) -> None:
        before = self.state
        self.feed(PublishEnded(outcome, WORDS))
        if before.step is not Step.PUBLISH:
            assert self.state == before

    @precondition(lambda self: self.count > 3)
    @rule()
    def cancel(self) -> None:
        running = self.state.attempt
        was_done = self.state.state is State.DONE
        self.feed(CancelAsked())
        assert self.state.state is State.DONE
        if running and not was_done:
            assert running in self.to_end, "its process tree has to be ended"

    @invariant()
    def outcome_is_told_exactly_once(self) -> None:
        if not hasattr(self, "state"):
            return
        assert len(self.told) == (1 if self.state.state is State.DONE else 0)
        assert (self.state.outcome is None) == (self.state.state is not State.DONE)

    @invariant()
    def published_at_most_once_and_only_after_both_stages(self) -> None:
        if not hasattr(self, "state"):
            return
        assert self.publishes <= 1
        if self.state.outcome is Outcome.SUCCEEDED:
            # Only an attempt's own ``unchanged`` may skip the publisher.
            assert self.publishes == 1 or self.state.step is not Step.PUBLISH

    @invariant()
    def has_somewhere_to_go(self) -> None:
        if not hasattr(self, "state"):
            return
        state = self.state
        match state.state:
            case State.WAITING:
                assert state.open_dependencies
                assert state.attempt is None
            case State.READY:
                assert not state.open_dependencies
                assert state.attempt is None
            case State.RUNNING:
                assert state.attempt is not None
            case State.DONE:
                assert state.attempt is None
                assert state.not_before is None
        assert state.tries < MOST_TRIES


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_every_path_can_end() -> None:
    """The shortest good life, and the life with nothing but lost runners."""
    good = initial(frozenset(), 1)
    for event in (
        Dispatched("a1"),
        AttemptEnded("a1", Outcome.SUCCEEDED),
        Dispatched("a2"),
        AttemptEnded("a2", Outcome.SUCCEEDED),
        PublishEnded(Outcome.SUCCEEDED),
    ):
        good, _ = step(good, event, 0.0)
    assert good.outcome is Outcome.SUCCEEDED

    lost = initial(frozenset(), 1)
    pauses = []
    for n in range(MOST_TRIES):
        lost, _ = step(lost, Dispatched(f"a{n}"), 0.0)
        lost, _ = step(lost, AttemptEnded(f"a{n}", Outcome.INFRASTRUCTURE, WORDS), 0.0)
        pauses.append(lost.not_before)
    assert lost.outcome is Outcome.INFRASTRUCTURE
    assert pauses == [60.0, 180.0, 540.0, 1620.0, None]


def test_out_of_memory_asks_for_twice_as_much_while_a_pool_has_it() -> None:
    state, _ = step(initial(frozenset(), 2), Dispatched("a"), 0.0)
    more, _ = step(state, AttemptEnded("a", Outcome.OUT_OF_MEMORY, WORDS, 4), 0.0)
    assert (more.state, more.memory_bytes) == (State.READY, 4)
    more, _ = step(more, Dispatched("b"), 0.0)
    over, _ = step(more, AttemptEnded("b", Outcome.OUT_OF_MEMORY, WORDS, 4), 0.0)
    assert over.outcome is Outcome.OUT_OF_MEMORY
