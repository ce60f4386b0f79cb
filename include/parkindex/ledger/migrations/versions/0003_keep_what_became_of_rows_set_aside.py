"""Keep what became of rows set aside: replays, the history of rejects, corrected and withdrawn rows.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "batch_figures",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Raw table."),
        sa.Column("column_name", sa.Text(), nullable=False, comment="Column with a unitGuard."),
        sa.Column("positive_values", sa.BigInteger(), nullable=False, comment="Values above zero."),
        sa.Column("median", sa.Numeric(), nullable=True, comment="Their median."),
        sa.ForeignKeyConstraint(["batch_id"], ["raw.batches.batch_id"], name=op.f("fk_batch_figures_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "table_name", "column_name", name=op.f("pk_batch_figures")),
        schema="raw",
        comment="One row per batch and guarded column: what the unit guard compares deliveries by.",
    )
    op.create_table(
        "corrected_rows",
        sa.Column(
            "corrected_id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="Number of the entry."
        ),
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="Batch of the file."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Raw table."),
        sa.Column(
            "source_file", sa.Text(), nullable=False, comment="File name as delivered (and member of an archive)."
        ),
        sa.Column(
            "source_row", sa.Integer(), nullable=False, comment="Line, sheet row or ordinal in the file, from 1."
        ),
        sa.Column("correction_id", sa.Text(), nullable=False, comment="Id of the correction in contracts/corrections."),
        sa.Column("correction_sha256", sa.Text(), nullable=False, comment="Hash of the correction as applied."),
        sa.Column("action", sa.Text(), nullable=False, comment="drop, override, scale or flag."),
        sa.Column(
            "column_name",
            sa.Text(),
            nullable=False,
            comment="Column that was changed; empty when the row was dropped or flagged.",
        ),
        sa.Column("old_value", sa.Text(), nullable=True, comment="Value as delivered; personal values are masked."),
        sa.Column(
            "new_value", sa.Text(), nullable=True, comment="Value that was judged instead; personal values are masked."
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."),
        sa.CheckConstraint(
            "action in ('drop', 'override', 'scale', 'flag')", name=op.f("ck_corrected_rows_action_known")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["raw.batches.batch_id"], name=op.f("fk_corrected_rows_batch_id")),
        sa.PrimaryKeyConstraint("corrected_id", name=op.f("pk_corrected_rows")),
        schema="raw",
        comment="One row per cell that a correction changed, or row that it dropped or flagged.",
    )
    op.create_index("ix_corrected_rows_batch", "corrected_rows", ["batch_id"], unique=False, schema="raw")
    op.create_table(
        "withdrawn_rows",
        sa.Column(
            "withdrawn_id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="Number of the entry."
        ),
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="Batch of the row."),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Raw table."),
        sa.Column(
            "source_file", sa.Text(), nullable=False, comment="File name as delivered (and member of an archive)."
        ),
        sa.Column(
            "source_row", sa.Integer(), nullable=False, comment="Line, sheet row or ordinal in the file, from 1."
        ),
        sa.Column(
            "known_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Known time from which the row no longer counts.",
        ),
        sa.Column("by_batch_id", sa.BigInteger(), nullable=False, comment="Replay that withdrew it."),
        sa.Column(
            "is_replaced",
            sa.Boolean(),
            nullable=False,
            comment="Whether the replay brought in a row that stands instead.",
        ),
        sa.Column("correction_id", sa.Text(), nullable=False, comment="Correction that asked for it."),
        sa.ForeignKeyConstraint(["batch_id"], ["raw.batches.batch_id"], name=op.f("fk_withdrawn_rows_batch_id")),
        sa.ForeignKeyConstraint(["by_batch_id"], ["raw.batches.batch_id"], name=op.f("fk_withdrawn_rows_by_batch_id")),
        sa.PrimaryKeyConstraint("withdrawn_id", name=op.f("pk_withdrawn_rows")),
        sa.UniqueConstraint(
            "batch_id",
            "table_name",
            "source_file",
            "source_row",
            name=op.f("uq_withdrawn_rows_batch_id_table_name_source_file_source_row"),
        ),
        schema="raw",
        comment="One row per accepted row that stopped to count; the row itself stays.",
    )
    op.create_table(
        "reject_events",
        sa.Column(
            "event_id", sa.BigInteger(), sa.Identity(always=False), nullable=False, comment="Number of the event."
        ),
        sa.Column("reject_id", sa.BigInteger(), nullable=False, comment="Reject."),
        sa.Column(
            "event",
            sa.Text(),
            nullable=False,
            comment="replayed (still broken), or what settled it: accepted by a replay, dropped by a correction, returned corrected, rejected_again when returned, superseded by a later version of the file, closed by a person.",
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."),
        sa.Column("actor", sa.Text(), nullable=False, comment="Who."),
        sa.Column("batch_id", sa.BigInteger(), nullable=True, comment="Batch that did it."),
        sa.Column(
            "note",
            sa.Text(),
            nullable=True,
            comment="Rule still broken, correction, new reject, or the person's reason.",
        ),
        sa.CheckConstraint(
            "event in ('replayed', 'accepted', 'dropped', 'returned', 'rejected_again', 'superseded', 'closed')",
            name=op.f("ck_reject_events_event_known"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["raw.batches.batch_id"], name=op.f("fk_reject_events_batch_id")),
        sa.ForeignKeyConstraint(["reject_id"], ["raw.rejects.reject_id"], name=op.f("fk_reject_events_reject_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_reject_events")),
        schema="raw",
        comment="One row per event in the life of a reject.",
    )
    op.create_index("ix_reject_events_batch", "reject_events", ["batch_id"], unique=False, schema="raw")
    op.create_index("ix_reject_events_reject", "reject_events", ["reject_id"], unique=False, schema="raw")
    op.add_column(
        "batches",
        sa.Column(
            "replays_batch_id",
            sa.BigInteger(),
            nullable=True,
            comment="Batch whose rows were judged again and brought in; null for a delivery.",
        ),
        schema="raw",
    )
    op.add_column(
        "batches",
        sa.Column(
            "file_received_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the replayed batch's file came: which of two rows of a key holds; null for a delivery.",
        ),
        schema="raw",
    )
    op.add_column(
        "batches",
        sa.Column(
            "part_sha256",
            sa.Text(),
            nullable=True,
            comment="Hash of the rows a replay brought in or withdrew; null for a delivery.",
        ),
        schema="raw",
    )
    op.add_column(
        "batches",
        sa.Column(
            "previous_batch_id",
            sa.BigInteger(),
            nullable=True,
            comment="Batch of the same feed and file name with other bytes that came before.",
        ),
        schema="raw",
    )
    op.add_column(
        "batches",
        sa.Column(
            "changes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="Per raw table: keys added, removed, changed since it.",
        ),
        schema="raw",
    )
    op.alter_column(
        "batches",
        "reason",
        existing_type=sa.TEXT(),
        comment="Why the file was refused, let in, or what was ignored: rule id and message.",
        existing_comment="Why the file was refused: rule id and message.",
        existing_nullable=True,
        schema="raw",
    )
    op.create_foreign_key(
        op.f("fk_batches_previous_batch_id"),
        "batches",
        "batches",
        ["previous_batch_id"],
        ["batch_id"],
        source_schema="raw",
        referent_schema="raw",
    )
    op.create_foreign_key(
        op.f("fk_batches_replays_batch_id"),
        "batches",
        "batches",
        ["replays_batch_id"],
        ["batch_id"],
        source_schema="raw",
        referent_schema="raw",
    )
    op.create_table_comment(
        "batches",
        "One row per landed file, and per replay of one.",
        existing_comment="One row per landed file.",
        schema="raw",
    )
    op.alter_column(
        "attempts",
        "reason",
        existing_type=sa.TEXT(),
        comment="Why it was refused, or let through.",
        existing_comment="Why it was refused.",
        existing_nullable=True,
        schema="audit",
    )
    op.create_check_constraint(
        op.f("ck_batches_replay_is_told_whole"),
        "batches",
        "num_nonnulls(replays_batch_id, file_received_at, part_sha256) in (0, 3)",
        schema="raw",
    )
    op.drop_index("uq_batches_loaded_content", table_name="batches", schema="raw")
    op.create_index(
        "uq_batches_loaded_content",
        "batches",
        ["feed", "sha256"],
        unique=True,
        schema="raw",
        postgresql_where=sa.text("status = 'loaded' and replays_batch_id is null"),
    )


def downgrade() -> None:
    """Undo the revision."""
    op.alter_column(
        "attempts",
        "reason",
        existing_type=sa.TEXT(),
        comment="Why it was refused.",
        existing_comment="Why it was refused, or let through.",
        existing_nullable=True,
        schema="audit",
    )
    op.drop_index("uq_batches_loaded_content", table_name="batches", schema="raw")
    op.create_index(
        "uq_batches_loaded_content",
        "batches",
        ["feed", "sha256"],
        unique=True,
        schema="raw",
        postgresql_where=sa.text("status = 'loaded'"),
    )
    op.drop_constraint(op.f("ck_batches_replay_is_told_whole"), "batches", schema="raw", type_="check")
    op.create_table_comment(
        "batches",
        "One row per landed file.",
        existing_comment="One row per landed file, and per replay of one.",
        schema="raw",
    )
    op.drop_constraint(op.f("fk_batches_replays_batch_id"), "batches", schema="raw", type_="foreignkey")
    op.drop_constraint(op.f("fk_batches_previous_batch_id"), "batches", schema="raw", type_="foreignkey")
    op.alter_column(
        "batches",
        "reason",
        existing_type=sa.TEXT(),
        comment="Why the file was refused: rule id and message.",
        existing_comment="Why the file was refused, let in, or what was ignored: rule id and message.",
        existing_nullable=True,
        schema="raw",
    )
    op.drop_column("batches", "changes", schema="raw")
    op.drop_column("batches", "previous_batch_id", schema="raw")
    op.drop_column("batches", "part_sha256", schema="raw")
    op.drop_column("batches", "file_received_at", schema="raw")
    op.drop_column("batches", "replays_batch_id", schema="raw")
    op.drop_index("ix_reject_events_reject", table_name="reject_events", schema="raw")
    op.drop_index("ix_reject_events_batch", table_name="reject_events", schema="raw")
    op.drop_table("reject_events", schema="raw")
    op.drop_table("withdrawn_rows", schema="raw")
    op.drop_index("ix_corrected_rows_batch", table_name="corrected_rows", schema="raw")
    op.drop_table("corrected_rows", schema="raw")
    op.drop_table("batch_figures", schema="raw")
