"""Hold what the 35 indicators need: further inputs of a methodology, co-applicants, distances between plots.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SETS_BEFORE = "IC, BIO, AI or TECH."
_SETS = "IC, BIO, AI, TECH, HARD or SERVICE."


def _version() -> sa.Column[str]:
    return sa.Column("methodology_sha256", sa.Text(), nullable=False, comment="Hash of the methodology.")


def upgrade() -> None:
    """Apply the revision. Methodologies stored before named no early rounds."""
    op.alter_column("industry_sets", "set_code", schema="methodology", comment=_SETS, existing_comment=_SETS_BEFORE)
    op.add_column(
        "equity_rounds",
        sa.Column(
            "is_early",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether money raised in it counts as early.",
        ),
        schema="methodology",
    )
    op.alter_column("equity_rounds", "is_early", schema="methodology", server_default=None)
    op.create_table(
        "recognition_kinds",
        _version(),
        sa.Column("recognition_kind", sa.Text(), nullable=False, comment="List of recognised enterprises."),
        sa.Column(
            "points",
            sa.Numeric(precision=9, scale=4),
            nullable=True,
            comment="Rung of the gradient ladder (A6); null when on none.",
        ),
        sa.Column("counted_in", sa.Text(), nullable=True, comment="Indicator that counts enterprises on this list."),
        sa.PrimaryKeyConstraint("methodology_sha256", "recognition_kind", name=op.f("pk_recognition_kinds")),
        schema="methodology",
        comment="One row per version and recognition list that counts somewhere.",
    )
    op.create_table(
        "self_report_items",
        _version(),
        sa.Column("item_code", sa.Text(), nullable=False, comment="For example C1.2."),
        sa.Column("indicator_code", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False, comment="numerator or denominator."),
        sa.Column(
            "factor",
            sa.Numeric(precision=18, scale=6),
            nullable=False,
            comment="What the reported number is multiplied by.",
        ),
        sa.Column("times_item", sa.Text(), nullable=True, comment="Item whose number it is multiplied by, too."),
        sa.Column("part_of", sa.Text(), nullable=True, comment="Item whose number it may not exceed."),
        sa.Column("highest", sa.Numeric(precision=24, scale=6), nullable=True, comment="Greatest number that can be."),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False, comment="Unit it must be reported in."),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("methodology_sha256", "item_code", name=op.f("pk_self_report_items")),
        schema="methodology",
        comment="One row per version and item of the parks' reports that counts.",
    )
    op.create_table(
        "ipc_sets",
        _version(),
        sa.Column("set_code", sa.Text(), nullable=False, comment="SEI: strategic emerging industries."),
        sa.Column("ipc_subclass", sa.Text(), nullable=False, comment="First four characters of an IPC symbol."),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("methodology_sha256", "set_code", "ipc_subclass", name=op.f("pk_ipc_sets")),
        schema="methodology",
        comment="One row per version, set and IPC subclass.",
    )
    op.create_table(
        "exchange_rates",
        _version(),
        sa.Column("currency", sa.Text(), nullable=False, comment="ISO 4217 code."),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="First day."),
        sa.Column("valid_to", sa.Date(), nullable=False, comment="Last day."),
        sa.Column("cny_per_unit", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.PrimaryKeyConstraint("methodology_sha256", "currency", "valid_from", name=op.f("pk_exchange_rates")),
        schema="methodology",
        comment="One row per version, currency and span of days.",
    )
    op.create_table(
        "further_applicants",
        sa.Column("identity_run_id", sa.BigInteger(), nullable=False),
        sa.Column("publication_number", sa.Text(), nullable=False, comment="Publication."),
        sa.Column("kind", sa.Text(), nullable=False, comment="Kind of the publication."),
        sa.Column("position", sa.Integer(), nullable=False, comment="Place among the applicants, from 2."),
        sa.Column("name_key", sa.Text(), nullable=False, comment="Normalised name, as in enterprise_links."),
        sa.ForeignKeyConstraint(
            ["identity_run_id"], ["identity.runs.identity_run_id"], name=op.f("fk_further_applicants_identity_run_id")
        ),
        sa.PrimaryKeyConstraint(
            "identity_run_id", "publication_number", "kind", "position", name=op.f("pk_further_applicants")
        ),
        schema="identity",
        comment="One row per run and applicant of a publication after the first.",
    )
    op.create_table(
        "plot_distances",
        sa.Column("identity_run_id", sa.BigInteger(), nullable=False),
        sa.Column("plot_id", sa.Text(), nullable=False, comment="Plot."),
        sa.Column("valid_from", sa.Date(), nullable=False, comment="Its first day of validity."),
        sa.Column("other_plot_id", sa.Text(), nullable=False, comment="Another plot of the same park."),
        sa.Column("other_valid_from", sa.Date(), nullable=False, comment="That one's first day of validity."),
        sa.Column(
            "distance_metres",
            sa.Numeric(precision=12, scale=3),
            nullable=False,
            comment="Least distance between the two polygons.",
        ),
        sa.ForeignKeyConstraint(
            ["identity_run_id"], ["identity.runs.identity_run_id"], name=op.f("fk_plot_distances_identity_run_id")
        ),
        sa.PrimaryKeyConstraint(
            "identity_run_id",
            "plot_id",
            "valid_from",
            "other_plot_id",
            "other_valid_from",
            name=op.f("pk_plot_distances"),
        ),
        schema="identity",
        comment="One row per run and ordered pair of near plots of one park; farther ones are not listed.",
    )


def downgrade() -> None:
    """Undo the revision."""
    for name in ("plot_distances", "further_applicants"):
        op.drop_table(name, schema="identity")
    for name in ("exchange_rates", "ipc_sets", "self_report_items", "recognition_kinds"):
        op.drop_table(name, schema="methodology")
    op.drop_column("equity_rounds", "is_early", schema="methodology")
    op.alter_column("industry_sets", "set_code", schema="methodology", comment=_SETS_BEFORE, existing_comment=_SETS)
