"""The demo's path, whole: from recipes to an installed program, twice."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from benchmarks.served_yard import FORGEYARD
from forgeyard.actions.doctor import examine
from forgeyard.actions.yard import Yard
from forgeyard.provenance.statement import Subject, check_publish_statement
from forgeyard.signing.dsse import verify
from forgeyard.store.tables import artifacts, attempts, builds, feedstocks

pytestmark = pytest.mark.slow


def run_demo(folder: Path) -> str:
    command = [*FORGEYARD, "demo", "--yard", str(folder), "--port", "0", "--exit"]
    done = subprocess.run(
        command,
        env=os.environ | {"NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of the demo's yard, and what the first run printed."""
    folder = tmp_path_factory.mktemp("demo") / "yard"
    return folder, run_demo(folder)


def test_programs_of_the_channel_run(demo: tuple[Path, str]) -> None:
    _, said = demo
    assert "yardstick" in said
    assert "yard-hello" in said
    assert "OpenSSL" in said, "the channel's own Python was run"


def test_all_was_built_tested_and_attested(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    yard = Yard.open(folder)
    with yard.store.read() as connection:
        outcomes = set(connection.execute(select(builds.c.outcome)).scalars())
        count = connection.execute(select(func.count()).select_from(feedstocks)).scalar_one()
        stages = connection.execute(
            select(attempts.c.stage, func.count())
            .where(attempts.c.outcome == "succeeded")
            .group_by(attempts.c.stage)
        )
        tried = {row[0]: row[1] for row in stages}
        rows = list(connection.execute(select(artifacts)))
    assert outcomes == {"succeeded"}
    assert count >= 30
    assert tried["build"] == tried["test"] == len(rows)
    for row in rows:
        statement = verify(yard.objects.get(row.publish_attestation), [yard.signing_key.public])
        channel = f"http://127.0.0.1:{yard.settings.server.port}/channels/main"
        subject = Subject(filename=row.filename, sha256=row.sha256)
        check_publish_statement(statement.payload, subject, channel)
    pythons = {r.version[:4] for r in rows if r.name == "python"}
    assert len(pythons) == 2
    assert sum(r.name == "markupsafe" for r in rows) == 2, "one for each Python"
    assert examine(yard, read_all=True) == []
    yard.close()


def test_a_second_run_builds_nothing(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    yard = Yard.open(folder)
    with yard.store.read() as connection:
        before = connection.execute(select(func.count()).select_from(builds)).scalar_one()
    said = run_demo(folder)
    with yard.store.read() as connection:
        after = connection.execute(select(func.count()).select_from(builds)).scalar_one()
    yard.close()
    assert after == before
    assert "nothing to build" in said.lower() or "nothing has changed" in said.lower(), said
