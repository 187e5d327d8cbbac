"""Publish what a build made: one transaction, after which clients see it (DESIGN §6).

Bytes are durable before the transaction, shards and the index are written under their
digests inside it, and the label moves with the commit: no reader sees half of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from forgeyard.actions.advance import advance
from forgeyard.actions.attempts import staged_artifacts, taken_filename
from forgeyard.actions.attest import attest
from forgeyard.actions.journalling import write_journal
from forgeyard.actions.members import SYSTEM
from forgeyard.actions.yard import Yard
from forgeyard.builds.machine import PublishEnded, State, Step
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.channels.publication import Publication, first_publication, next_publication
from forgeyard.channels.shards import encode_shard
from forgeyard.errors import ForgeyardError
from forgeyard.store import artifacts, builds, channels


def publish_build(yard: Yard, build_id: str) -> None:
    """Publish a tested build to the label ``main``.  Doing it twice does no harm.

    What goes wrong on the way (a full disk) is tried again later; nothing is lost.
    """
    try:
        _publish(yard, build_id)
    except ForgeyardError as error:
        failure = Failure(code=error.code, message=error.message, hint=error.hint, phase="publish")
        with yard.store.write() as connection:
            advance(connection, build_id, PublishEnded(Outcome.INFRASTRUCTURE, failure), yard.now())


def _publish(yard: Yard, build_id: str) -> None:
    with yard.store.read() as connection:
        made = [a.sha256 for a in staged_artifacts(connection, build_id)]
        rows = artifacts.many(connection, made)
    attested = {row.sha256: attest(yard, row, build_id) for row in rows}
    now = yard.now()
    with yard.store.write() as connection:
        build = builds.get(connection, build_id)
        if build is None or build.state != State.RUNNING or build.step != Step.PUBLISH:
            return
        channel = ensure_channel(connection, yard, yard.settings.yard.channel)
        for row in rows:
            held = channels.file(connection, channel.id, row.subdir, row.filename)
            if held is not None and held.sha256 != row.sha256:
                event = PublishEnded(Outcome.FAILED, taken_filename(row.filename))
                advance(connection, build_id, event, now)
                return
        for row in rows:
            artifacts.change(connection, row.sha256, **attested[row.sha256])
            _bind(connection, channel.id, row, now)
        for subdir in sorted({row.subdir for row in rows}):
            names = sorted({row.name for row in rows if row.subdir == subdir})
            _move_label(connection, yard, channel, subdir, names, build_id)
        write_journal(
            connection,
            now,
            SYSTEM,
            "channel.publish",
            f"channel:{channel.name}",
            build=build_id,
            artifacts={row.filename: row.sha256 for row in rows},
        )
        advance(connection, build_id, PublishEnded(Outcome.SUCCEEDED), now)


def ensure_channel(connection: Connection, yard: Yard, name: str) -> Any:
    """The channel's row; made, with empty indexes, when it is not there."""
    row = channels.by_name(connection, name)
    if row is not None:
        return row
    channel_id, now = yard.new_id("c"), yard.now()
    channels.add(connection, id=channel_id, name=name, description="", created_at=now)
    for subdir in ("noarch", *yard.settings.yard.platforms):
        publication, index = first_publication(name, channels.MAIN, subdir, now)
        yard.objects.put_bytes(index)
        _store_publication(connection, yard, channel_id, publication, "the channel was made")
    write_journal(connection, now, SYSTEM, "channel.create", f"channel:{name}")
    return channels.by_name(connection, name)


def _bind(connection: Connection, channel_id: str, row: Any, now: datetime) -> None:
    if channels.file(connection, channel_id, row.subdir, row.filename) is None:
        channels.add_file(connection, channel_id, row.subdir, row.filename, row.sha256, now)
    channels.add_member(
        connection,
        channel_id=channel_id,
        label=channels.MAIN,
        subdir=row.subdir,
        filename=row.filename,
        name=row.name,
        sha256=row.sha256,
        added_at=now,
    )


def _move_label(
    connection: Connection, yard: Yard, channel: Any, subdir: str, names: list[str], cause: str
) -> None:
    """Write the shards of these names and point the label at a new publication."""
    place = (channel.id, channels.MAIN, subdir)
    previous = _current(connection, channel, subdir)
    changed: dict[str, str | None] = {}
    for name in names:
        members = channels.members_named(connection, *place, name)
        shard = encode_shard({row.filename: row.record for row in members})
        yard.objects.put_bytes(shard.bytes)
        channels.put_shard(connection, *place, name, shard.sha256)
        changed[name] = shard.sha256
    if previous is None:
        previous, _ = first_publication(channel.name, channels.MAIN, subdir, yard.now())
    made = next_publication(previous, changed, yard.now())
    if made is not None:
        publication, index = made
        yard.objects.put_bytes(index)
        _store_publication(connection, yard, channel.id, publication, cause)


def _current(connection: Connection, channel: Any, subdir: str) -> Publication | None:
    row = channels.current_publication(connection, channel.id, channels.MAIN, subdir)
    if row is None:
        return None
    return Publication(
        channel=channel.name,
        label=channels.MAIN,
        subdir=subdir,
        generation=row.generation,
        index=row.index_digest,
        shards=channels.shard_digests(connection, channel.id, channels.MAIN, subdir),
        created_at=row.created_at,
    )


def _store_publication(
    connection: Connection, yard: Yard, channel_id: str, publication: Publication, cause: str
) -> None:
    channels.publish(
        connection,
        id=yard.new_id("p"),
        channel_id=channel_id,
        label=publication.label,
        subdir=publication.subdir,
        generation=publication.generation,
        index_digest=publication.index,
        cause=cause,
        created_at=publication.created_at,
    )
