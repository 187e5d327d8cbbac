"""Asking for builds: what is built, what is not, and what is said of wrong recipes."""

from __future__ import annotations

import pytest

from forgeyard.actions.feedstocks import add_feedstock, remove_feedstock
from forgeyard.actions.submission import Submission
from forgeyard.actions.submit import submit
from forgeyard.builds.machine import State
from forgeyard.builds.outcome import Outcome
from forgeyard.errors import BadInput, Forbidden, NotFound
from forgeyard.governance.actor import Actor
from forgeyard.store import builds, journal
from yards import TestYard, write_recipe


def add_all(place: TestYard) -> None:
    add_feedstock(place.yard, place.owner, str(place.feedstocks))


def ask(place: TestYard, *names: str, force: bool = False) -> Submission:
    return submit(place.yard, place.owner, names, force=force)


def end_all(place: TestYard, outcome: Outcome) -> None:
    """As if every build on its way had ended like this."""
    with place.yard.store.write() as connection:
        connection.execute(
            builds.builds.update()
            .where(builds.builds.c.state != "done")
            .values(state="done", outcome=outcome.value, finished_at=place.yard.now())
        )
        connection.execute(builds.build_dependencies.update().values(open=False))


def test_dependents_wait_and_the_longest_chain_goes_first(place: TestYard) -> None:
    write_recipe(place.feedstocks, "base")
    write_recipe(place.feedstocks, "lib", host=("base",))
    write_recipe(place.feedstocks, "app", run=("lib >=1",))
    write_recipe(place.feedstocks, "alone")
    add_all(place)
    submission = ask(place)
    states = {b.name: b.state for b in submission.builds}
    assert states == {
        "base": State.READY,
        "lib": State.WAITING,
        "app": State.WAITING,
        "alone": State.READY,
    }
    with place.yard.store.read() as connection:
        queue = [
            builds.get(connection, r.id).name
            for r in builds.queue(connection, 0.0, 9, ["linux-64"])
        ]  # type: ignore[union-attr]
        actions = [e.action for e in journal.entries(connection)]
    assert queue == ["base", "alone"]
    assert actions[-1] == "build.submit"


def test_a_recipe_says_how_long_its_first_build_takes(place: TestYard) -> None:
    long = write_recipe(place.feedstocks, "long")
    text = (long / "recipe.yaml").read_text()
    (long / "recipe.yaml").write_text(text.replace('"extra":{', '"extra":{"build-seconds":500,'))
    write_recipe(place.feedstocks, "short")
    add_all(place)
    ask(place)
    with place.yard.store.read() as connection:
        queue = builds.queue(connection, 0.0, 9, ["linux-64"])
        assert [r.feedstock_name for r in queue] == ["long", "short"]
        assert builds.all_durations(connection)["long", "linux-64", "build"] == 500.0


def test_asking_twice_builds_once(place: TestYard) -> None:
    write_recipe(place.feedstocks, "base")
    add_all(place)
    first = ask(place)
    second = ask(place)
    assert not second.builds
    assert [(k.code, k.build_id) for k in second.kept] == [("on_its_way", first.builds[0].id)]


def test_an_edited_folder_counts_without_adding_it_again(place: TestYard) -> None:
    write_recipe(place.feedstocks, "base")
    add_all(place)
    ask(place)
    write_recipe(place.feedstocks, "base", number=1)
    second = ask(place)
    assert [b.build_string[-2:] for b in second.builds] == ["_1"]


def test_a_failure_is_remembered_until_an_input_changes(place: TestYard) -> None:
    write_recipe(place.feedstocks, "base")
    write_recipe(place.feedstocks, "lib", host=("base",))
    add_all(place)
    ask(place, "base")
    end_all(place, Outcome.FAILED)
    again = ask(place)
    assert not again.builds
    assert {k.name: k.code for k in again.kept} == {
        "base": "failed_before",
        "lib": "dependency_failed",
    }
    assert {b.name for b in ask(place, force=True).builds} == {"base", "lib"}
    end_all(place, Outcome.FAILED)
    write_recipe(place.feedstocks, "base", script="true")
    assert {b.name for b in ask(place).builds} == {"base", "lib"}


@pytest.mark.parametrize("outcome", [Outcome.INFRASTRUCTURE, Outcome.CANCELLED])
def test_what_was_not_the_recipe_s_fault_is_not_remembered(
    place: TestYard, outcome: Outcome
) -> None:
    write_recipe(place.feedstocks, "base")
    add_all(place)
    ask(place)
    end_all(place, outcome)
    assert [b.name for b in ask(place).builds] == ["base"]


def test_one_bad_recipe_does_not_stop_the_others(place: TestYard) -> None:
    write_recipe(place.feedstocks, "good")
    write_recipe(place.feedstocks, "bad")
    add_all(place)
    (place.feedstocks / "bad" / "recipe.yaml").write_text(
        "package:\n  name: bad\n  version: ${{ nothing }}\n"
    )
    submission = ask(place)
    assert [b.name for b in submission.builds] == ["good"]
    (problem,) = submission.problems
    assert (problem.feedstock, problem.code) == ("bad", "recipe_undefined_variable")
    assert problem.where is not None
    assert (problem.where.file, problem.where.line) == ("recipe.yaml", 3)


def test_broken_yaml_is_refused_when_it_is_added(place: TestYard) -> None:
    folder = write_recipe(place.feedstocks, "bad")
    (folder / "recipe.yaml").write_text("package:\n  name: [a\n")
    with pytest.raises(BadInput) as caught:
        add_feedstock(place.yard, place.owner, str(folder))
    assert caught.value.code == "recipe_yaml"
    assert caught.value.where is not None
    assert caught.value.where.line == 3


def test_an_output_has_one_owner(place: TestYard) -> None:
    write_recipe(place.feedstocks, "base")
    add_all(place)
    ask(place)
    thief = write_recipe(place.feedstocks, "thief")
    text = (thief / "recipe.yaml").read_text()
    (thief / "recipe.yaml").write_text(text.replace('"name":"thief"', '"name":"base"'))
    add_all(place)
    submission = ask(place)
    (problem,) = submission.problems
    assert (problem.feedstock, problem.code) == ("thief", "output_owned")
    assert "owned by the feedstock base" in problem.message
    remove_feedstock(place.yard, place.owner, "base")
    assert not ask(place, "thief").problems


def test_a_circle_is_shown_as_a_path_and_nothing_is_queued(place: TestYard) -> None:
    write_recipe(place.feedstocks, "hen", host=("egg",))
    write_recipe(place.feedstocks, "egg", host=("hen",))
    add_all(place)
    submission = ask(place)
    assert not submission.builds
    (problem,) = submission.problems
    assert problem.code == "dependency_cycle"
    assert "hen → egg → hen" in problem.message or "egg → hen → egg" in problem.message


def test_who_may_ask(place: TestYard) -> None:
    write_recipe(place.feedstocks, "base")
    add_all(place)
    stranger = Actor(id="m", name="mallory", kind="person", roles=("member",))
    with pytest.raises(Forbidden) as caught:
        submit(place.yard, stranger, ["base"])
    assert "grace" in str(caught.value.hint)
    maintainer = Actor(id="m", name="grace", kind="person", roles=("member",))
    assert submit(place.yard, maintainer, ["base"]).builds


def test_an_unknown_feedstock_is_named(place: TestYard) -> None:
    with pytest.raises(NotFound, match="nothing-like-it"):
        ask(place, "nothing-like-it")
