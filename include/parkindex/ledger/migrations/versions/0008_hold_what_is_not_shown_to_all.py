"""Hold what is not shown to all: cells withheld from the public, pseudonyms, who read what, what was erased.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. Of batches loaded before nobody noted whether a sample world sent them."""
    op.add_column(
        "batches",
        sa.Column(
            "is_synthetic", sa.Boolean(), nullable=True, comment="Whether it came from a sample world; null: not known."
        ),
        schema="raw",
    )
    op.add_column(
        "indicator_scores",
        sa.Column(
            "conf_status",
            sa.Text(),
            nullable=True,
            comment="F free, C confidential, D hidden so that C stays hidden.",
        ),
        schema="publish",
    )
    op.add_column(
        "indicator_scores",
        sa.Column(
            "commitment",
            sa.Text(),
            nullable=True,
            comment="Keyed hash of what a hidden cell would say; null when free.",
        ),
        schema="publish",
    )
    op.create_table(
        "withheld_cells",
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("park_code", sa.Text(), nullable=False),
        sa.Column("indicator_code", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(precision=38, scale=12), nullable=True),
        sa.Column("numerator", sa.Numeric(precision=38, scale=12), nullable=True),
        sa.Column("denominator", sa.Numeric(precision=38, scale=12), nullable=True),
        sa.Column("score", sa.Numeric(precision=20, scale=12), nullable=True),
        sa.Column("contribution", sa.Numeric(precision=20, scale=12), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("conf_status", sa.Text(), nullable=False, comment="C or D, as on the public row."),
        sa.Column("rule", sa.Text(), nullable=False, comment="The rule that hides it, see docs/privacy.md."),
        sa.ForeignKeyConstraint(
            ["release_id"], ["publish.releases.release_id"], name=op.f("fk_withheld_cells_release_id")
        ),
        sa.PrimaryKeyConstraint("release_id", "park_code", "indicator_code", name=op.f("pk_withheld_cells")),
        schema="privacy",
        comment="One row per release and cell that the public row does not show; a park's officers see their own.",
    )
    op.create_table(
        "pseudonyms",
        sa.Column(
            "key_year",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Year of the key it was made with.",
        ),
        sa.Column("enterprise_id_uscc", sa.Text(), nullable=False, comment="USCC."),
        sa.Column("pseudonym", sa.Text(), nullable=False, comment="Keyed hash; the key is not in the warehouse."),
        sa.PrimaryKeyConstraint("key_year", "enterprise_id_uscc", name=op.f("pk_pseudonyms")),
        sa.UniqueConstraint("key_year", "pseudonym", name=op.f("uq_pseudonyms_key_year_pseudonym")),
        schema="privacy",
        comment="One row per key year and enterprise that a reading role sees under another name.",
    )
    op.create_table(
        "park_officers",
        sa.Column("login", sa.Text(), nullable=False, comment="Login of the warehouse."),
        sa.Column("park_code", sa.Text(), nullable=False, comment="The park it may look into."),
        sa.Column("registered_by", sa.Text(), nullable=False, comment="Who registered it."),
        sa.Column(
            "registered_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When.",
        ),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_park_officers")),
        schema="privacy",
        comment="One row per login of a park's officers.",
    )
    op.create_table(
        "access_log",
        sa.Column("access_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."),
        sa.Column("login", sa.Text(), nullable=False, comment="Login of the warehouse that read."),
        sa.Column("reader", sa.Text(), nullable=True, comment="Person, as given; null where only the login is known."),
        sa.Column("what", sa.Text(), nullable=False, comment="records, personal, rejects: kind of data."),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="What was read: release, park and indicator; or feed and batch.",
        ),
        sa.Column("purpose", sa.Text(), nullable=False, comment="What for, as given."),
        sa.Column("rows_read", sa.BigInteger(), nullable=False, comment="How many rows were given out."),
        sa.Column(
            "transaction_number",
            sa.BigInteger(),
            nullable=True,
            comment="Transaction that asked, where one reads later.",
        ),
        sa.CheckConstraint("purpose <> ''", name=op.f("ck_access_log_purpose_given")),
        sa.PrimaryKeyConstraint("access_id", name=op.f("pk_access_log")),
        schema="privacy",
        comment="One row per access to data of single persons or enterprises.",
    )
    op.create_table(
        "erasures",
        sa.Column("erasure_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."),
        sa.Column("erased_by", sa.Text(), nullable=False, comment="Who."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why: retention, or the request of a person."),
        sa.Column("feed", sa.Text(), nullable=False, comment="Feed."),
        sa.Column("batch_id", sa.BigInteger(), nullable=False, comment="Batch."),
        sa.Column(
            "file_sha256",
            sa.Text(),
            nullable=False,
            comment="Hash of the file as received: the evidence that stays.",
        ),
        sa.Column(
            "columns",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Columns that were erased.",
        ),
        sa.Column("cells_in_raw", sa.BigInteger(), nullable=False, comment="Cells emptied in raw tables."),
        sa.Column("cells_in_rejects", sa.BigInteger(), nullable=False, comment="Cells emptied in rows set aside."),
        sa.Column("file_removed", sa.Boolean(), nullable=False, comment="Whether the received bytes were removed."),
        sa.ForeignKeyConstraint(["batch_id"], ["raw.batches.batch_id"], name=op.f("fk_erasures_batch_id")),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasures")),
        schema="privacy",
        comment="One row per batch whose personal fields were erased.",
    )


def downgrade() -> None:
    """Take the revision back."""
    for table in ("erasures", "access_log", "park_officers", "pseudonyms", "withheld_cells"):
        op.drop_table(table, schema="privacy")
    op.drop_column("indicator_scores", "commitment", schema="publish")
    op.drop_column("indicator_scores", "conf_status", schema="publish")
    op.drop_column("batches", "is_synthetic", schema="raw")
