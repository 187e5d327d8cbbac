"""The tables.  ``revisions/`` brings a database here; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from forgeyard.builds.job import JobResult, Source
from forgeyard.builds.outcome import Failure
from forgeyard.farm.pool import Resources
from forgeyard.recipes.rendered import Requirements
from forgeyard.store.columns import Document, Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# ── people ────────────────────────────────────────────────────────────────────────────

members = Table(
    "members",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
    #: ``person``, ``bot`` or ``system``.
    Column("kind", String(16), nullable=False),
    Column("roles", Document(list[str]), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("label", String(128), nullable=False),
    #: Only the hash of the secret is kept.
    Column("digest", String(64), nullable=False),
    #: Empty means all that the member may do.
    Column("scopes", Document(list[str]), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(256), nullable=False, index=True),
    Column("detail", Document(dict), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)

# ── feedstocks ────────────────────────────────────────────────────────────────────────

feedstocks = Table(
    "feedstocks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
    #: A folder or the address of a git repository.
    Column("origin", Text, nullable=False),
    #: Folder of the recipe inside the origin.
    Column("origin_path", Text, nullable=False),
    #: Commit, where the origin is a git repository.
    Column("commit", String(64)),
    #: Digest of the archive of its files in the object store.
    Column("digest", String(64), nullable=False),
    Column("recipe_path", Text, nullable=False),
    Column("maintainers", Document(list[str]), nullable=False),
    Column("added_by", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("removed_at", Instant),
)

outputs = Table(
    "outputs",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("feedstock_id", ForeignKey("feedstocks.id"), nullable=False, index=True),
)

#: What a feedstock's files make with a pinning on a platform; never changes.
evaluations = Table(
    "evaluations",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("feedstock_id", ForeignKey("feedstocks.id"), nullable=False, index=True),
    Column("feedstock_digest", String(64), nullable=False),
    Column("pinning_digest", String(64), nullable=False),
    Column("platform", String(32), nullable=False),
    #: ``rendering.protocol.Answer`` as JSON.
    Column("answer", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# ── builds ────────────────────────────────────────────────────────────────────────────

builds = Table(
    "builds",
    metadata,
    Column("id", String(32), primary_key=True),
    #: Builds asked for together.
    Column("batch", String(32), nullable=False, index=True),
    Column("feedstock_id", ForeignKey("feedstocks.id"), nullable=False, index=True),
    Column("feedstock_name", String(128), nullable=False),
    Column("feedstock_digest", String(64), nullable=False),
    Column("feedstock_commit", String(64)),
    Column("recipe_path", Text, nullable=False),
    Column("input_key", String(64), nullable=False, index=True),
    Column("name", String(128), nullable=False, index=True),
    Column("version", String(64), nullable=False),
    Column("build_string", String(64), nullable=False),
    Column("build_number", Integer, nullable=False),
    Column("subdir", String(32), nullable=False),
    Column("build_platform", String(32), nullable=False),
    Column("target_platform", String(32), nullable=False),
    Column("used_variant", Document(dict), nullable=False),
    #: Every key with one value: what the runner renders with.
    Column("variant", Document(dict), nullable=False),
    Column("requirements", Document(Requirements), nullable=False),
    Column("sources", Document(tuple[Source, ...]), nullable=False),
    Column("state", String(16), nullable=False),
    Column("step", String(16), nullable=False),
    Column("outcome", String(24)),
    Column("attempt_id", String(32)),
    Column("tries", Integer, nullable=False),
    Column("not_before", Float),
    Column("failure", Document(Failure)),
    #: Seconds of the longest chain of work that hangs on this build: more goes first.
    Column("priority", Float, nullable=False),
    #: ``-priority``: the queue's index is read in its own order.
    Column("rank", Float, nullable=False),
    Column("resources", Document(Resources), nullable=False),
    #: No pool can take it until the farm changes.
    Column("refused", Boolean, nullable=False),
    #: ``new``, ``changed``, ``asked`` or ``dependency``, and a sentence.
    Column("reason", String(16), nullable=False),
    Column("reason_text", Text, nullable=False),
    Column("submitted_by", String(128), nullable=False),
    #: Seconds since 1970: SOURCE_DATE_EPOCH and the package's timestamp.
    Column("timestamp", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ready_at", Instant),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Index("ix_builds_queue", "build_platform", "state", "refused", "rank", "id"),
    Index("ix_builds_steps", "state", "step"),
    Index("ix_builds_outcomes", "state", "outcome"),
    Index("ix_builds_recent", "created_at"),
)

build_dependencies = Table(
    "build_dependencies",
    metadata,
    Column("build_id", ForeignKey("builds.id"), primary_key=True),
    Column("needs_id", ForeignKey("builds.id"), primary_key=True, index=True),
    #: Not yet done.
    Column("open", Boolean, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("build_id", ForeignKey("builds.id"), nullable=False, index=True),
    #: ``build`` or ``test``.
    Column("stage", String(16), nullable=False),
    Column("number", Integer, nullable=False),
    Column("pool", String(64), nullable=False),
    Column("handle", Text),
    Column("resources", Document(Resources), nullable=False),
    Column("gpus", Document(tuple[int, ...]), nullable=False),
    #: ``submitting`` → ``queued`` → ``running`` → ``ended``.
    Column("state", String(16), nullable=False, index=True),
    Column("outcome", String(24)),
    Column("failure", Document(Failure)),
    Column("cancel", Boolean, nullable=False),
    Column("phase", String(24)),
    Column("token_digest", String(64)),
    Column("token_expires_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("seen_at", Instant),
    Column("finished_at", Instant),
    Column("log_bytes", BigInteger, nullable=False),
    #: Digest of the whole log (zstd) once the attempt has ended.
    Column("log_digest", String(64)),
    Column("result", Document(JobResult)),
)

refusals = Table(
    "refusals",
    metadata,
    Column("build_id", ForeignKey("builds.id"), primary_key=True),
    Column("pool", String(64), primary_key=True),
    Column("code", String(24), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

#: How long each step of an output took, for estimates and priorities.
durations = Table(
    "durations",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("platform", String(32), primary_key=True),
    Column("stage", String(16), primary_key=True),
    #: Running mean, new ones weigh a third.
    Column("seconds", Float, nullable=False),
    Column("samples", Integer, nullable=False),
)

#: Files of recipes' sources, by sha256: asked before any other place.
mirror_sources = Table(
    "mirror_sources",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("first_attempt_id", String(32), nullable=False),
    Column("created_at", Instant, nullable=False),
)

# ── artifacts and channels ────────────────────────────────────────────────────────────

artifacts = Table(
    "artifacts",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("filename", String(256), nullable=False, index=True),
    Column("subdir", String(32), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("md5", String(32), nullable=False),
    Column("name", String(128), nullable=False, index=True),
    Column("version", String(64), nullable=False),
    Column("build_string", String(64), nullable=False),
    Column("build_number", Integer, nullable=False),
    #: The repodata entry, run_exports included.
    Column("record", Document(dict), nullable=False),
    Column("about", Document(dict), nullable=False),
    #: Digest of the JSON list of paths in the object store.
    Column("paths_digest", String(64), nullable=False),
    #: Equal for two builds of the same content at different times.
    Column("content_digest", String(64), nullable=False),
    Column("build_id", ForeignKey("builds.id"), index=True),
    Column("attempt_id", String(32)),
    #: Digests of the signed in-toto statements in the object store.
    Column("publish_attestation", String(64)),
    Column("build_provenance", String(64)),
    Column("created_at", Instant, nullable=False),
)

channels = Table(
    "channels",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

#: A filename never changes its bytes, not even after removal: rows are never updated.
channel_files = Table(
    "channel_files",
    metadata,
    Column("channel_id", ForeignKey("channels.id"), primary_key=True),
    Column("subdir", String(32), primary_key=True),
    Column("filename", String(256), primary_key=True),
    Column("sha256", ForeignKey("artifacts.sha256"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
)

label_members = Table(
    "label_members",
    metadata,
    Column("channel_id", ForeignKey("channels.id"), primary_key=True),
    Column("label", String(128), primary_key=True),
    Column("subdir", String(32), primary_key=True),
    Column("filename", String(256), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("sha256", ForeignKey("artifacts.sha256"), nullable=False),
    Column("added_at", Instant, nullable=False),
    Index("ix_label_members_name", "channel_id", "label", "subdir", "name"),
)

#: The shard of each package name as it is now (CEP 16).
shards = Table(
    "shards",
    metadata,
    Column("channel_id", ForeignKey("channels.id"), primary_key=True),
    Column("label", String(128), primary_key=True),
    Column("subdir", String(32), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("digest", String(64), nullable=False),
)

#: Immutable generations of a label's index.
publications = Table(
    "publications",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("channel_id", ForeignKey("channels.id"), nullable=False),
    Column("label", String(128), nullable=False),
    Column("subdir", String(32), nullable=False),
    Column("generation", Integer, nullable=False),
    #: Digest of ``repodata_shards.msgpack.zst`` in the object store.
    Column("index_digest", String(64), nullable=False),
    Column("cause", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("channel_id", "label", "subdir", "generation"),
)

#: Where a label points now.
labels = Table(
    "labels",
    metadata,
    Column("channel_id", ForeignKey("channels.id"), primary_key=True),
    Column("label", String(128), primary_key=True),
    Column("subdir", String(32), primary_key=True),
    Column("publication_id", ForeignKey("publications.id"), nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
