"""Keep people's decisions about who is who and who is where, relations between enterprises, and doubts of places.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COMMENTS = {
    ("enterprise_links", "method"): (
        "How it was found: exact_name, decision.",
        "How it was found: exact_name, normalised_name, decision.",
    ),
    ("enterprise_links", "score"): (
        "1 for an exact match.",
        "1 for an exact match or a decision, 0.99 for another spelling of a registered name.",
    ),
    ("review_queue", "reason"): (
        "unknown_name, ambiguous_name, ambiguous_place.",
        "unknown_name, ambiguous_name, doubtful_name (a decision took its link away), ambiguous_place.",
    ),
    ("review_queue", "candidates"): (
        "What it could be.",
        "What it could be: enterprises with name, score and evidence, or parks.",
    ),
    ("placements", "started_by"): (
        "registration, move or boundary: why the stay began.",
        "registration, move, boundary or membership: why the stay began.",
    ),
    ("placements", "method"): (
        "How it was found: point_in_plot, none, ambiguous.",
        "How it was found: decision, registered_member, point_in_plot, street_range, whole_town, none, ambiguous.",
    ),
}


def upgrade() -> None:
    """Apply the revision. Runs made before keep what they found; their placements have no confidence."""
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When, which is also from when on it is known.",
        ),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="Who."),
        sa.Column("action", sa.Text(), nullable=False, comment="accept, reject or withdraw."),
        sa.Column("subject_kind", sa.Text(), nullable=False, comment="name, point or relation."),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="Normalised name; USCC and date of a point; USCC of the enterprise that stands in a relation.",
        ),
        sa.Column(
            "target",
            sa.Text(),
            nullable=False,
            comment="USCC or park; nobody for a name that is no enterprise's; * for whatever was decided.",
        ),
        sa.Column("relation", sa.Text(), nullable=True, comment="Kind of a relation."),
        sa.Column("valid_from", sa.Date(), nullable=True, comment="First day of a relation."),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="First day after a relation."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why."),
        sa.CheckConstraint("action in ('accept', 'reject', 'withdraw')", name=op.f("ck_decisions_action_known")),
        sa.CheckConstraint("subject_kind in ('name', 'point', 'relation')", name=op.f("ck_decisions_kind_known")),
        sa.CheckConstraint("(subject_kind = 'relation') = (relation is not null)", name=op.f("ck_decisions_relation")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decisions")),
        sa.UniqueConstraint(
            "decided_at",
            "subject_kind",
            "subject",
            "target",
            name=op.f("uq_decisions_decided_at_subject_kind_subject_target"),
        ),
        schema="identity",
        comment="One row per decision of a person; appended, dated, applied again by every run that knows it.",
    )
    op.create_table(
        "relations",
        sa.Column("identity_run_id", sa.BigInteger(), nullable=False),
        sa.Column("enterprise_id_uscc", sa.Text(), nullable=False, comment="USCC of the enterprise."),
        sa.Column(
            "relation",
            sa.Text(),
            nullable=False,
            comment="branch_of, member_of_group, merged_into, split_from or succeeded_by.",
        ),
        sa.Column("other_enterprise_id_uscc", sa.Text(), nullable=False, comment="USCC of the other one."),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day."),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="First day after; null while it lasts."),
        sa.Column("method", sa.Text(), nullable=False, comment="branch_name or decision."),
        sa.Column("score", sa.Numeric(5, 4), nullable=False, comment="1: relations are found exactly or decided."),
        sa.Column("evidence", sa.Text(), nullable=False, comment="What it rests on."),
        sa.ForeignKeyConstraint(
            ["identity_run_id"], ["identity.runs.identity_run_id"], name=op.f("fk_relations_identity_run_id")
        ),
        sa.PrimaryKeyConstraint(
            "identity_run_id",
            "enterprise_id_uscc",
            "relation",
            "other_enterprise_id_uscc",
            "valid_from",
            name=op.f("pk_relations"),
        ),
        schema="identity",
        comment="One row per run and dated relation between two enterprises.",
    )
    op.add_column(
        "placements",
        sa.Column("confidence", sa.Numeric(5, 4), nullable=True, comment="Of the method, 0 to 1 (assumed)."),
        schema="identity",
    )
    op.add_column(
        "placements",
        sa.Column(
            "candidate_parks",
            sa.Text(),
            nullable=True,
            comment="Parks that the rule cannot decide between, separated by commas; null unless ambiguous.",
        ),
        schema="identity",
    )
    op.create_table(
        "address_findings",
        sa.Column("identity_run_id", sa.BigInteger(), nullable=False),
        sa.Column("enterprise_id_uscc", sa.Text(), nullable=False, comment="USCC."),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day of the registry row."),
        sa.Column("finding", sa.Text(), nullable=False, comment="virtual_office, free_trade_zone, former_district …"),
        sa.Column("evidence", sa.Text(), nullable=False, comment="What was seen."),
        sa.ForeignKeyConstraint(
            ["identity_run_id"], ["identity.runs.identity_run_id"], name=op.f("fk_address_findings_identity_run_id")
        ),
        sa.PrimaryKeyConstraint(
            "identity_run_id", "enterprise_id_uscc", "valid_from", "finding", name=op.f("pk_address_findings")
        ),
        schema="identity",
        comment="One row per run, registry row and remarkable thing about its address.",
    )
    _comment(1)
    # Raw tables are derived from contracts where they are missing; one that is there gets the new optional column here.
    for column in ("former_registration_number", "former_registration_number_key"):
        op.execute(f"alter table if exists raw.enterprise_registry_v1 add column if not exists {column} text")


def downgrade() -> None:
    """Undo the revision; delivered columns of raw stay."""
    _comment(0)
    op.drop_table("address_findings", schema="identity")
    op.drop_column("placements", "candidate_parks", schema="identity")
    op.drop_column("placements", "confidence", schema="identity")
    op.drop_table("relations", schema="identity")
    op.drop_table("decisions", schema="identity")


def _comment(which: int) -> None:
    for (table, column), comments in _COMMENTS.items():
        op.alter_column(
            table,
            column,
            schema="identity",
            comment=comments[which],
            existing_comment=comments[1 - which],
            existing_type=postgresql.JSONB() if column == "candidates" else sa.Text(),
        )
