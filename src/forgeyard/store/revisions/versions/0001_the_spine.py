"""The spine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint("name", name=op.f("uq_channels_name")),
    )
    op.create_table(
        "durations",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "platform", "stage", name=op.f("pk_durations")),
    )
    op.create_table(
        "feedstocks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("origin_path", sa.Text(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("recipe_path", sa.Text(), nullable=False),
        sa.Column("maintainers", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedstocks")),
        sa.UniqueConstraint("name", name=op.f("uq_feedstocks_name")),
    )
    op.create_table(
        "journal",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
    )
    op.create_index(op.f("ix_journal_subject"), "journal", ["subject"], unique=False)
    op.create_table(
        "members",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("name", name=op.f("uq_members_name")),
    )
    op.create_table(
        "mirror_sources",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("first_attempt_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_mirror_sources")),
    )
    op.create_table(
        "settings",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )
    op.create_table(
        "builds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("feedstock_id", sa.String(length=32), nullable=False),
        sa.Column("feedstock_name", sa.String(length=128), nullable=False),
        sa.Column("feedstock_digest", sa.String(length=64), nullable=False),
        sa.Column("feedstock_commit", sa.String(length=64), nullable=True),
        sa.Column("recipe_path", sa.Text(), nullable=False),
        sa.Column("input_key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("build_string", sa.String(length=64), nullable=False),
        sa.Column("build_number", sa.Integer(), nullable=False),
        sa.Column("subdir", sa.String(length=32), nullable=False),
        sa.Column("build_platform", sa.String(length=32), nullable=False),
        sa.Column("target_platform", sa.String(length=32), nullable=False),
        sa.Column("used_variant", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("requirements", sa.Text(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("attempt_id", sa.String(length=32), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.Float(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=False),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("reason_text", sa.Text(), nullable=False),
        sa.Column("submitted_by", sa.String(length=128), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["feedstock_id"], ["feedstocks.id"], name=op.f("fk_builds_feedstock_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_builds")),
    )
    op.create_index(op.f("ix_builds_batch"), "builds", ["batch"], unique=False)
    op.create_index(op.f("ix_builds_feedstock_id"), "builds", ["feedstock_id"], unique=False)
    op.create_index(op.f("ix_builds_input_key"), "builds", ["input_key"], unique=False)
    op.create_index(op.f("ix_builds_name"), "builds", ["name"], unique=False)
    op.create_index("ix_builds_outcomes", "builds", ["state", "outcome"], unique=False)
    op.create_index(
        "ix_builds_queue",
        "builds",
        ["build_platform", "state", "refused", "rank", "id"],
        unique=False,
    )
    op.create_index("ix_builds_recent", "builds", ["created_at"], unique=False)
    op.create_index("ix_builds_steps", "builds", ["state", "step"], unique=False)
    op.create_table(
        "evaluations",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("feedstock_id", sa.String(length=32), nullable=False),
        sa.Column("feedstock_digest", sa.String(length=64), nullable=False),
        sa.Column("pinning_digest", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feedstock_id"], ["feedstocks.id"], name=op.f("fk_evaluations_feedstock_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_evaluations")),
    )
    op.create_index(
        op.f("ix_evaluations_feedstock_id"), "evaluations", ["feedstock_id"], unique=False
    )
    op.create_table(
        "outputs",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("feedstock_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["feedstock_id"], ["feedstocks.id"], name=op.f("fk_outputs_feedstock_id")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_outputs")),
    )
    op.create_index(op.f("ix_outputs_feedstock_id"), "outputs", ["feedstock_id"], unique=False)
    op.create_table(
        "publications",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=128), nullable=False),
        sa.Column("subdir", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("index_digest", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_publications_channel_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publications")),
        sa.UniqueConstraint(
            "channel_id",
            "label",
            "subdir",
            "generation",
            name=op.f("uq_publications_channel_id_label_subdir_generation"),
        ),
    )
    op.create_table(
        "shards",
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=128), nullable=False),
        sa.Column("subdir", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_shards_channel_id")),
        sa.PrimaryKeyConstraint("channel_id", "label", "subdir", "name", name=op.f("pk_shards")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_tokens_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
    )
    op.create_table(
        "artifacts",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("filename", sa.String(length=256), nullable=False),
        sa.Column("subdir", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("build_string", sa.String(length=64), nullable=False),
        sa.Column("build_number", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("paths_digest", sa.String(length=64), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("build_id", sa.String(length=32), nullable=True),
        sa.Column("attempt_id", sa.String(length=32), nullable=True),
        sa.Column("publish_attestation", sa.String(length=64), nullable=True),
        sa.Column("build_provenance", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["build_id"], ["builds.id"], name=op.f("fk_artifacts_build_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_artifacts")),
    )
    op.create_index(op.f("ix_artifacts_build_id"), "artifacts", ["build_id"], unique=False)
    op.create_index(op.f("ix_artifacts_filename"), "artifacts", ["filename"], unique=False)
    op.create_index(op.f("ix_artifacts_name"), "artifacts", ["name"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("build_id", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("pool", sa.String(length=64), nullable=False),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("resources", sa.Text(), nullable=False),
        sa.Column("gpus", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("phase", sa.String(length=24), nullable=True),
        sa.Column("token_digest", sa.String(length=64), nullable=True),
        sa.Column("token_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("log_bytes", sa.BigInteger(), nullable=False),
        sa.Column("log_digest", sa.String(length=64), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["build_id"], ["builds.id"], name=op.f("fk_attempts_build_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_build_id"), "attempts", ["build_id"], unique=False)
    op.create_index(op.f("ix_attempts_state"), "attempts", ["state"], unique=False)
    op.create_table(
        "build_dependencies",
        sa.Column("build_id", sa.String(length=32), nullable=False),
        sa.Column("needs_id", sa.String(length=32), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["build_id"], ["builds.id"], name=op.f("fk_build_dependencies_build_id")
        ),
        sa.ForeignKeyConstraint(
            ["needs_id"], ["builds.id"], name=op.f("fk_build_dependencies_needs_id")
        ),
        sa.PrimaryKeyConstraint("build_id", "needs_id", name=op.f("pk_build_dependencies")),
    )
    op.create_index(
        op.f("ix_build_dependencies_needs_id"), "build_dependencies", ["needs_id"], unique=False
    )
    op.create_table(
        "labels",
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=128), nullable=False),
        sa.Column("subdir", sa.String(length=32), nullable=False),
        sa.Column("publication_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_labels_channel_id")),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publications.id"], name=op.f("fk_labels_publication_id")
        ),
        sa.PrimaryKeyConstraint("channel_id", "label", "subdir", name=op.f("pk_labels")),
    )
    op.create_table(
        "refusals",
        sa.Column("build_id", sa.String(length=32), nullable=False),
        sa.Column("pool", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["build_id"], ["builds.id"], name=op.f("fk_refusals_build_id")),
        sa.PrimaryKeyConstraint("build_id", "pool", name=op.f("pk_refusals")),
    )
    op.create_table(
        "channel_files",
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("subdir", sa.String(length=32), nullable=False),
        sa.Column("filename", sa.String(length=256), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_channel_files_channel_id")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["artifacts.sha256"], name=op.f("fk_channel_files_sha256")
        ),
        sa.PrimaryKeyConstraint("channel_id", "subdir", "filename", name=op.f("pk_channel_files")),
    )
    op.create_index(op.f("ix_channel_files_sha256"), "channel_files", ["sha256"], unique=False)
    op.create_table(
        "label_members",
        sa.Column("channel_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=128), nullable=False),
        sa.Column("subdir", sa.String(length=32), nullable=False),
        sa.Column("filename", sa.String(length=256), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_label_members_channel_id")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["artifacts.sha256"], name=op.f("fk_label_members_sha256")
        ),
        sa.PrimaryKeyConstraint(
            "channel_id", "label", "subdir", "filename", name=op.f("pk_label_members")
        ),
    )
    op.create_index(
        "ix_label_members_name",
        "label_members",
        ["channel_id", "label", "subdir", "name"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("ix_label_members_name", table_name="label_members")
    op.drop_table("label_members")
    op.drop_index(op.f("ix_channel_files_sha256"), table_name="channel_files")
    op.drop_table("channel_files")
    op.drop_table("refusals")
    op.drop_table("labels")
    op.drop_index(op.f("ix_build_dependencies_needs_id"), table_name="build_dependencies")
    op.drop_table("build_dependencies")
    op.drop_index(op.f("ix_attempts_state"), table_name="attempts")
    op.drop_index(op.f("ix_attempts_build_id"), table_name="attempts")
    op.drop_table("attempts")
    op.drop_index(op.f("ix_artifacts_name"), table_name="artifacts")
    op.drop_index(op.f("ix_artifacts_filename"), table_name="artifacts")
    op.drop_index(op.f("ix_artifacts_build_id"), table_name="artifacts")
    op.drop_table("artifacts")
    op.drop_table("tokens")
    op.drop_table("shards")
    op.drop_table("publications")
    op.drop_index(op.f("ix_outputs_feedstock_id"), table_name="outputs")
    op.drop_table("outputs")
    op.drop_index(op.f("ix_evaluations_feedstock_id"), table_name="evaluations")
    op.drop_table("evaluations")
    op.drop_index("ix_builds_steps", table_name="builds")
    op.drop_index("ix_builds_recent", table_name="builds")
    op.drop_index("ix_builds_queue", table_name="builds")
    op.drop_index("ix_builds_outcomes", table_name="builds")
    op.drop_index(op.f("ix_builds_name"), table_name="builds")
    op.drop_index(op.f("ix_builds_input_key"), table_name="builds")
    op.drop_index(op.f("ix_builds_feedstock_id"), table_name="builds")
    op.drop_index(op.f("ix_builds_batch"), table_name="builds")
    op.drop_table("builds")
    op.drop_table("settings")
    op.drop_table("mirror_sources")
    op.drop_table("members")
    op.drop_index(op.f("ix_journal_subject"), table_name="journal")
    op.drop_table("journal")
    op.drop_table("feedstocks")
    op.drop_table("durations")
    op.drop_table("channels")
