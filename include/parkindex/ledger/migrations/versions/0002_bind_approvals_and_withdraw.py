"""Bind approvals to the release they would replace; keep withdrawals.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ANNEX_BEFORE = "Hash of data_quality, which depends on when deliveries came and not on what they say."
_ANNEX = "Hash of data_quality and revisions, which depend on when deliveries and releases came."


def upgrade() -> None:
    """Apply the revision."""
    op.add_column(
        "approvals",
        sa.Column(
            "replaces_release_id",
            sa.Text(),
            nullable=True,
            comment="Release of the edition that was current then; null when none was.",
        ),
        schema="publish",
    )
    op.create_unique_constraint(
        op.f("uq_approvals_candidate_id_approver_replaces_release_id"),
        "approvals",
        ["candidate_id", "approver", "replaces_release_id"],
        schema="publish",
        postgresql_nulls_not_distinct=True,
    )
    op.alter_column("releases", "annex_sha256", schema="publish", comment=_ANNEX, existing_comment=_ANNEX_BEFORE)
    op.create_table(
        "withdrawals",
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("withdrawn_by", sa.Text(), nullable=False, comment="Who."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, as printed."),
        sa.Column(
            "withdrawn_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["publish.releases.release_id"], name=op.f("fk_withdrawals_release_id")
        ),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_withdrawals")),
        schema="publish",
        comment="One row per release that was withdrawn; its rows stay readable.",
    )


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("withdrawals", schema="publish")
    op.alter_column("releases", "annex_sha256", schema="publish", comment=_ANNEX_BEFORE, existing_comment=_ANNEX)
    op.drop_constraint(
        op.f("uq_approvals_candidate_id_approver_replaces_release_id"), "approvals", schema="publish", type_="unique"
    )
    op.drop_column("approvals", "replaces_release_id", schema="publish")
