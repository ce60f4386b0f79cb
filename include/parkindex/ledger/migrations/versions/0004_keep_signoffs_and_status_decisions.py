"""Keep who froze a methodology, and what people decided about a park's status.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "signoffs",
        sa.Column("methodology_sha256", sa.Text(), nullable=False, comment="Hash of the methodology."),
        sa.Column("signed_by", sa.Text(), nullable=False, comment="Who froze the rules."),
        sa.Column("edition", sa.Integer(), nullable=False, comment="Evaluation year."),
        sa.Column("version", sa.Text(), nullable=False, comment="Version of the rules."),
        sa.Column("is_demo", sa.Boolean(), nullable=False, comment="A stand-in of the sample: nobody really signed."),
        sa.Column(
            "signed_on", sa.Date(), nullable=False, comment="Day from which the rules were not changed any more."
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why this version was made."),
        sa.PrimaryKeyConstraint("methodology_sha256", "signed_by", name=op.f("pk_signoffs")),
        schema="methodology",
        comment="One row per version of a methodology and person who froze it, from methodology/<edition>/frozen.yaml.",
    )
    op.create_table(
        "status_decisions",
        sa.Column("decision_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False, comment="Evaluation year."),
        sa.Column("park_code", sa.Text(), nullable=False, comment="Park."),
        sa.Column(
            "status", sa.Text(), nullable=False, comment="normal, notice, delisted or commended: what was decided."
        ),
        sa.Column(
            "proposed",
            sa.Text(),
            nullable=True,
            comment="What the rule proposed then; null when it proposed nothing.",
        ),
        sa.Column("rule", sa.Text(), nullable=False, comment="Rule and window of the proposal."),
        sa.Column(
            "evidence",
            postgresql.JSONB(),
            nullable=False,
            comment="What the proposal rested on: editions, ranks, intervals.",
        ),
        sa.Column("crosses_line", sa.Boolean(), nullable=False, comment="The park's rank interval crossed the line."),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="Who, as registered."),
        sa.Column("role", sa.Text(), nullable=False, comment="In which role."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why."),
        sa.Column(
            "decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."
        ),
        sa.CheckConstraint(
            "status in ('normal', 'notice', 'delisted', 'commended')",
            name=op.f("ck_status_decisions_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["publish.releases.release_id"], name=op.f("fk_status_decisions_release_id")
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_status_decisions")),
        schema="publish",
        comment="One row per decision of a person about a park's status; nothing here is decided by a rule.",
    )
    op.create_index("ix_status_decisions_park", "status_decisions", ["park_code", "edition"], schema="publish")


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("status_decisions", schema="publish")
    op.drop_table("signoffs", schema="methodology")
