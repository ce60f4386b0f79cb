"""Keep what governs a release: waivers, calendar, previews, objections, anchors, corrections.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "candidate_files",
        sa.Column("candidate_id", sa.Text(), nullable=False, comment="Candidate."),
        sa.Column("kind", sa.Text(), nullable=False, comment="code or lock."),
        sa.Column("path", sa.Text(), nullable=False, comment="Path in the checkout."),
        sa.Column("sha256", sa.Text(), nullable=False, comment="Hash of its bytes."),
        sa.CheckConstraint("kind in ('code', 'lock')", name=op.f("ck_candidate_files_kind_known")),
        sa.PrimaryKeyConstraint("candidate_id", "kind", "path", name=op.f("pk_candidate_files")),
        schema="publish",
        comment="One row per file that a candidate was made by, so that a rebuild can say which one differs.",
    )
    op.create_table(
        "objections",
        sa.Column("objection_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False, comment="Evaluation year."),
        sa.Column("release_id", sa.Text(), nullable=True, comment="Release objected to; null for a candidate."),
        sa.Column("candidate_id", sa.Text(), nullable=False, comment="Candidate objected to, or the release's."),
        sa.Column("content_sha256", sa.Text(), nullable=False, comment="Content hash of it."),
        sa.Column("park_code", sa.Text(), nullable=False, comment="Park that objects."),
        sa.Column(
            "indicator_code",
            sa.Text(),
            nullable=True,
            comment="Indicator objected to; null: the assessment as a whole.",
        ),
        sa.Column(
            "claimed_value",
            sa.Numeric(precision=38, scale=12),
            nullable=True,
            comment="Value the park holds right; null: none given.",
        ),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, in the park's words."),
        sa.Column("evidence_name", sa.Text(), nullable=True, comment="Name of the evidence file."),
        sa.Column("evidence_sha256", sa.Text(), nullable=True, comment="Hash of the evidence file."),
        sa.Column("opened_by", sa.Text(), nullable=False, comment="Who."),
        sa.Column(
            "opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."
        ),
        sa.Column(
            "effect",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Every park before and after, were the claimed value right.",
        ),
        sa.CheckConstraint(
            "claimed_value is null or indicator_code is not null", name=op.f("ck_objections_value_is_of_an_indicator")
        ),
        sa.CheckConstraint(
            "num_nonnulls(evidence_name, evidence_sha256) in (0, 2)", name=op.f("ck_objections_evidence_is_told_whole")
        ),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_objections")),
        schema="publish",
        comment="One row per objection of a park.",
    )
    op.create_index("ix_objections_edition", "objections", ["edition"], unique=False, schema="publish")
    op.create_table(
        "preview_accesses",
        sa.Column("access_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("candidate_id", sa.Text(), nullable=False, comment="Candidate."),
        sa.Column("content_sha256", sa.Text(), nullable=False, comment="Content hash of what was shown."),
        sa.Column("park_code", sa.Text(), nullable=False, comment="Park whose figures were shown."),
        sa.Column("shown_to", sa.Text(), nullable=False, comment="Who was shown it."),
        sa.Column("shown_by", sa.Text(), nullable=False, comment="Who wrote it."),
        sa.Column(
            "shown_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."
        ),
        sa.PrimaryKeyConstraint("access_id", name=op.f("pk_preview_accesses")),
        schema="publish",
        comment="One row per access to unpublished figures of a park.",
    )
    op.create_table(
        "release_calendar",
        sa.Column("entry_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False, comment="Evaluation year."),
        sa.Column(
            "embargo_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Nothing is published before; null: no embargo.",
        ),
        sa.Column(
            "preview_from",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Parks see their own figures from then on.",
        ),
        sa.Column("preview_to", sa.DateTime(timezone=True), nullable=True, comment="Until then."),
        sa.Column(
            "objections_from", sa.DateTime(timezone=True), nullable=True, comment="Objections are taken from then on."
        ),
        sa.Column("objections_to", sa.DateTime(timezone=True), nullable=True, comment="Until then."),
        sa.Column("set_by", sa.Text(), nullable=False, comment="Who, as registered."),
        sa.Column("role", sa.Text(), nullable=False, comment="In which role."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, as printed."),
        sa.Column(
            "set_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."
        ),
        sa.CheckConstraint(
            "num_nonnulls(objections_from, objections_to) <> 1",
            name=op.f("ck_release_calendar_objections_have_both_ends"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(preview_from, preview_to) <> 1", name=op.f("ck_release_calendar_preview_has_both_ends")
        ),
        sa.CheckConstraint(
            "preview_from < preview_to and objections_from < objections_to",
            name=op.f("ck_release_calendar_windows_end_after_start"),
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_release_calendar")),
        schema="publish",
        comment="One row per setting of an edition's dates; the latest counts, the earlier ones stay.",
    )
    op.create_index("ix_release_calendar_edition", "release_calendar", ["edition"], unique=False, schema="publish")
    op.create_table(
        "waivers",
        sa.Column("waiver_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("candidate_id", sa.Text(), nullable=False, comment="Candidate."),
        sa.Column("content_sha256", sa.Text(), nullable=False, comment="Content hash of what was looked at."),
        sa.Column("expectation_id", sa.Text(), nullable=False, comment="Expectation that fails and may be waived."),
        sa.Column(
            "failing_key",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The failure that was looked at, whole.",
        ),
        sa.Column("signed_by", sa.Text(), nullable=False, comment="Who, as registered."),
        sa.Column("role", sa.Text(), nullable=False, comment="In which role."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why it is let through, as printed on the release."),
        sa.Column(
            "signed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."
        ),
        sa.Column(
            "expires_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="From when it lets nothing through any more.",
        ),
        sa.PrimaryKeyConstraint("waiver_id", name=op.f("pk_waivers")),
        schema="publish",
        comment="One row per failure of the gate that a named person lets through, bound to the candidate's hash.",
    )
    op.create_index("ix_waivers_candidate", "waivers", ["candidate_id"], unique=False, schema="publish")
    op.create_table(
        "anchor_receipts",
        sa.Column("receipt_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("anchor", sa.Text(), nullable=False, comment="Where it was handed to, without secrets."),
        sa.Column("chain_sha256", sa.Text(), nullable=False, comment="Head of the chain that was handed over."),
        sa.Column(
            "receipt",
            sa.Text(),
            nullable=False,
            comment="What the anchor gave back: a place in a file, a commit, a message id.",
        ),
        sa.Column(
            "handed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["publish.releases.release_id"], name=op.f("fk_anchor_receipts_release_id")
        ),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_anchor_receipts")),
        schema="publish",
        comment="One row per release and place outside the warehouse that keeps its head hash.",
    )
    op.create_index("ix_anchor_receipts_release", "anchor_receipts", ["release_id"], unique=False, schema="publish")
    op.create_table(
        "approver_endings",
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False, comment="Who ended the registration."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why."),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="From when the person decides nothing any more.",
        ),
        sa.ForeignKeyConstraint(
            ["approver"], ["publish.approvers.approver"], name=op.f("fk_approver_endings_approver")
        ),
        sa.PrimaryKeyConstraint("approver", name=op.f("pk_approver_endings")),
        schema="publish",
        comment="One row per person who may no longer approve; what they decided before stays on record.",
    )
    op.create_table(
        "objection_corrections",
        sa.Column("objection_id", sa.BigInteger(), nullable=False),
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["publish.objections.objection_id"], name=op.f("fk_objection_corrections_objection_id")
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["publish.releases.release_id"], name=op.f("fk_objection_corrections_release_id")
        ),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_objection_corrections")),
        schema="publish",
        comment="One row per upheld objection and the release that corrected what it was about.",
    )
    op.create_table(
        "objection_decisions",
        sa.Column("objection_id", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False, comment="upheld or rejected."),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="Who, as registered."),
        sa.Column("role", sa.Text(), nullable=False, comment="In which role."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, as printed."),
        sa.Column(
            "decided_value",
            sa.Numeric(precision=38, scale=12),
            nullable=True,
            comment="Value found right; null: none was found.",
        ),
        sa.Column(
            "effect",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Every park before and after, by the value found right.",
        ),
        sa.Column(
            "decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."
        ),
        sa.CheckConstraint("decision in ('upheld', 'rejected')", name=op.f("ck_objection_decisions_decision_known")),
        sa.ForeignKeyConstraint(
            ["objection_id"], ["publish.objections.objection_id"], name=op.f("fk_objection_decisions_objection_id")
        ),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_objection_decisions")),
        schema="publish",
        comment="One row per objection that was decided; never decided twice.",
    )
    op.create_table(
        "status_changes",
        sa.Column("release_id", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("park_code", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False, comment="status, proposal, tier or pass."),
        sa.Column("old_value", sa.Text(), nullable=True),
        sa.Column("new_value", sa.Text(), nullable=True),
        sa.Column("previous_release_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["publish.releases.release_id"], name=op.f("fk_status_changes_release_id")
        ),
        sa.PrimaryKeyConstraint("release_id", "park_code", "what", name=op.f("pk_status_changes")),
        schema="publish",
        comment="One row per release, park and consequence that differs from the edition's release before.",
    )
    op.add_column(
        "expectation_results",
        sa.Column(
            "waiver_ids",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
            comment="Waivers that let the failure through.",
        ),
        schema="audit",
    )
    op.add_column(
        "gate_runs",
        sa.Column(
            "against_release_id",
            sa.Text(),
            nullable=True,
            comment="Release whose consequences the candidate's were compared with.",
        ),
        schema="audit",
    )
    op.add_column(
        "approvals",
        sa.Column(
            "renewal", sa.SmallInteger(), server_default="0", nullable=False, comment="How often it was renewed before."
        ),
        schema="publish",
    )
    op.drop_constraint(
        op.f("uq_approvals_candidate_id_approver_replaces_release_id"), "approvals", schema="publish", type_="unique"
    )
    op.create_unique_constraint(
        op.f("uq_approvals_candidate_id_approver_replaces_release_id_renewal"),
        "approvals",
        ["candidate_id", "approver", "replaces_release_id", "renewal"],
        schema="publish",
        postgresql_nulls_not_distinct=True,
    )
    op.add_column(
        "approvers",
        sa.Column("registered_by", sa.Text(), nullable=True, comment="Who registered them; null when it was not kept."),
        schema="publish",
    )
    op.add_column(
        "releases",
        sa.Column(
            "revision_type",
            sa.Text(),
            nullable=True,
            comment="R1, R2, R3 or C; null for the first release of an edition.",
        ),
        schema="publish",
    )
    op.add_column(
        "releases",
        sa.Column(
            "supersedes_release_id",
            sa.Text(),
            nullable=True,
            comment="Release of the edition that was current before; null when none was.",
        ),
        schema="publish",
    )
    op.alter_column(
        "releases",
        "annex_sha256",
        existing_type=sa.TEXT(),
        comment="Hash of what depends on when deliveries and releases came: data_quality, revisions, …",
        existing_comment="Hash of data_quality and revisions, which depend on when deliveries and releases came.",
        existing_nullable=False,
        schema="publish",
    )


def downgrade() -> None:
    """Undo the revision."""
    op.alter_column(
        "releases",
        "annex_sha256",
        existing_type=sa.TEXT(),
        comment="Hash of data_quality and revisions, which depend on when deliveries and releases came.",
        existing_comment="Hash of what depends on when deliveries and releases came: data_quality, revisions, …",
        existing_nullable=False,
        schema="publish",
    )
    op.drop_column("releases", "supersedes_release_id", schema="publish")
    op.drop_column("releases", "revision_type", schema="publish")
    op.drop_column("approvers", "registered_by", schema="publish")
    op.drop_constraint(
        op.f("uq_approvals_candidate_id_approver_replaces_release_id_renewal"),
        "approvals",
        schema="publish",
        type_="unique",
    )
    op.create_unique_constraint(
        op.f("uq_approvals_candidate_id_approver_replaces_release_id"),
        "approvals",
        ["candidate_id", "approver", "replaces_release_id"],
        schema="publish",
        postgresql_nulls_not_distinct=True,
    )
    op.drop_column("approvals", "renewal", schema="publish")
    op.drop_column("gate_runs", "against_release_id", schema="audit")
    op.drop_column("expectation_results", "waiver_ids", schema="audit")
    op.drop_table("status_changes", schema="publish")
    op.drop_table("objection_decisions", schema="publish")
    op.drop_table("objection_corrections", schema="publish")
    op.drop_table("approver_endings", schema="publish")
    op.drop_index("ix_anchor_receipts_release", table_name="anchor_receipts", schema="publish")
    op.drop_table("anchor_receipts", schema="publish")
    op.drop_index("ix_waivers_candidate", table_name="waivers", schema="publish")
    op.drop_table("waivers", schema="publish")
    op.drop_index("ix_release_calendar_edition", table_name="release_calendar", schema="publish")
    op.drop_table("release_calendar", schema="publish")
    op.drop_table("preview_accesses", schema="publish")
    op.drop_index("ix_objections_edition", table_name="objections", schema="publish")
    op.drop_table("objections", schema="publish")
    op.drop_table("candidate_files", schema="publish")
