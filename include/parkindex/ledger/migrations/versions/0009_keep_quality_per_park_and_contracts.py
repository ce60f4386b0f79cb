"""Keep with a release the quality of deliveries per park, and the contracts in force.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. Releases of before have no such rows; their annex hashes stay what they were."""
    op.create_table(
        "park_quality",
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column(
            "park_code",
            sa.Text(),
            nullable=False,
            comment="Park that the rows name; none where they name none.",
        ),
        sa.Column("rows_accepted", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.Column("reject_share", sa.Numeric(20, 12), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["publish.releases.release_id"], name=op.f("fk_park_quality_release_id")
        ),
        sa.PrimaryKeyConstraint("release_id", "feed", "park_code", name=op.f("pk_park_quality")),
        schema="publish",
        comment="One row per release, feed and park.",
    )
    op.create_table(
        "feed_contracts",
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("contract_sha256", sa.Text(), nullable=False, comment="Hash of the contract's bytes."),
        sa.Column("document", sa.Text(), nullable=False, comment="The contract, as it was in force."),
        sa.ForeignKeyConstraint(
            ["release_id"], ["publish.releases.release_id"], name=op.f("fk_feed_contracts_release_id")
        ),
        sa.PrimaryKeyConstraint("release_id", "feed", name=op.f("pk_feed_contracts")),
        schema="publish",
        comment="One row per release and feed.",
    )


def downgrade() -> None:
    """Take the revision back."""
    op.drop_table("feed_contracts", schema="publish")
    op.drop_table("park_quality", schema="publish")
