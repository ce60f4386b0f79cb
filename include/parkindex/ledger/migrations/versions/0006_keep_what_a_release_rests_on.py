"""Keep the hashes of what a release rests on, and bind them into the chain.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision. Releases published before have no such hash; their chain hashes stay what they were."""
    op.add_column(
        "releases",
        sa.Column(
            "grounds_sha256",
            sa.Text(),
            nullable=True,
            comment="Hash of the decisions, verdict and candidate's record; null in releases of before it was kept.",
        ),
        schema="publish",
    )
    op.create_table(
        "grounds",
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False, comment="Schema and table of the row."),
        sa.Column("row_key", sa.Text(), nullable=False, comment="Its primary key, parts joined by a slash."),
        sa.Column("row_sha256", sa.Text(), nullable=False, comment="Hash of its cells as they were then."),
        sa.ForeignKeyConstraint(["release_id"], ["publish.releases.release_id"], name=op.f("fk_grounds_release_id")),
        sa.PrimaryKeyConstraint("release_id", "table_name", "row_key", name=op.f("pk_grounds")),
        schema="publish",
        comment="One row per release and row of the ledger that it rests on.",
    )


def downgrade() -> None:
    """Take the revision back."""
    op.drop_table("grounds", schema="publish")
    op.drop_column("releases", "grounds_sha256", schema="publish")
