"""Every table of the warehouse that neither a contract nor dbt makes.

Times are UTC (``timestamptz``); amounts, scores and shares are ``numeric``; hashes are lower-case hexadecimal SHA-256.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

SCHEMAS = (
    "raw",
    "staging",
    "identity",
    "intermediate",
    "marts",
    "methodology",
    "audit",
    "publish",
    "privacy",
    "serve",
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _instant(name: str, *, comment: str, nullable: bool = False, default_now: bool = False) -> Column[object]:
    default = func.now() if default_now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default, comment=comment)


def _text(name: str, comment: str, *, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable, primary_key=primary_key, comment=comment)


# ---------------------------------------------------------------------------------------------------------------- raw

batches = Table(
    "batches",
    metadata,
    Column("batch_id", BigInteger, Identity(), primary_key=True, comment="Number of the batch."),
    _text("feed", "Feed the file belongs to."),
    _text("contract_version", "Version of the contract it was read by."),
    _text("contract_sha256", "Hash of the contract file."),
    _text("source_file", "File name as delivered."),
    _text("sha256", "Hash of the file's bytes."),
    Column("size_bytes", BigInteger, nullable=False, comment="Size of the file."),
    _text("landing_path", "Where the bytes are kept, relative to the landing folder.", nullable=True),
    _text("delivery", "Delivery form of the contract that fitted (server name).", nullable=True),
    _instant("received_at", comment="Known time: when the file was received."),
    _instant("loaded_at", comment="When the batch was recorded.", default_now=True),
    _text("status", "loaded or refused."),
    Column("rows_landed", BigInteger, nullable=True, comment="Records in the file; null when it could not be read."),
    Column("rows_accepted", BigInteger, nullable=True, comment="Rows in the raw table."),
    Column("rows_rejected", BigInteger, nullable=True, comment="Rows in raw.rejects."),
    Column("rows_duplicate", BigInteger, nullable=True, comment="Exact repetitions inside the file."),
    _text("reason", "Why the file was refused, let in, or what was ignored: rule id and message.", nullable=True),
    Column(
        "replays_batch_id",
        BigInteger,
        ForeignKey("raw.batches.batch_id"),
        nullable=True,
        comment="Batch whose rows were judged again and brought in; null for a delivery.",
    ),
    Column(
        "file_received_at",
        DateTime(timezone=True),
        nullable=True,
        comment="When the replayed batch's file came: which of two rows of a key holds; null for a delivery.",
    ),
    _text("part_sha256", "Hash of the rows a replay brought in or withdrew; null for a delivery.", nullable=True),
    Column(
        "previous_batch_id",
        BigInteger,
        ForeignKey("raw.batches.batch_id"),
        nullable=True,
        comment="Batch of the same feed and file name with other bytes that came before.",
    ),
    Column("changes", JSONB, nullable=True, comment="Per raw table: keys added, removed, changed since it."),
    Column("is_synthetic", Boolean, nullable=True, comment="Whether it came from a sample world; null: not known."),
    CheckConstraint("status in ('loaded', 'refused')", name="status_known"),
    CheckConstraint(
        "num_nonnulls(replays_batch_id, file_received_at, part_sha256) in (0, 3)", name="replay_is_told_whole"
    ),
    CheckConstraint(
        "status <> 'loaded' or rows_landed = rows_accepted + rows_rejected + rows_duplicate",
        name="rows_are_conserved",
    ),
    Index("ix_batches_feed", "feed"),
    # One loaded batch per feed and content: the same file twice is a no-op, also when two loaders race.
    Index(
        "uq_batches_loaded_content",
        "feed",
        "sha256",
        unique=True,
        postgresql_where=text("status = 'loaded' and replays_batch_id is null"),
    ),
    schema="raw",
    comment="One row per landed file, and per replay of one.",
)

rejects = Table(
    "rejects",
    metadata,
    Column("reject_id", BigInteger, Identity(), primary_key=True, comment="Number of the reject."),
    Column("batch_id", BigInteger, ForeignKey("raw.batches.batch_id"), nullable=False, comment="Batch of the row."),
    _text("feed", "Feed of the row."),
    _text("table_name", "Raw table the row was meant for."),
    _text("source_file", "File name as delivered (and member of an archive)."),
    Column("source_row", Integer, nullable=False, comment="Line, sheet row or ordinal in the file, from 1."),
    _text("column_name", "Column that broke the rule; empty when the whole row did."),
    _text("rule", "Id of the first rule broken, see docs/checks.md."),
    _text("value", "The offending value as delivered; personal values are masked.", nullable=True),
    _text("message", "The rule in words.", nullable=True),
    Column("details", JSONB, nullable=False, server_default="[]", comment="Every rule broken: column, rule, value."),
    Column("original_row", JSON, nullable=False, comment="The whole row as delivered, header to cell, in order."),
    _instant("reported_at", comment="When the row was set aside.", default_now=True),
    _text("resolved_by", "Batch, correction or person that settled it; null while open.", nullable=True),
    Index("ix_rejects_batch", "batch_id"),
    schema="raw",
    comment="One row per row of a file that was set aside, never dropped.",
)

# What can happen to a reject; those in SETTLING end it.
REJECT_EVENTS = (
    "replayed",
    "accepted",
    "dropped",
    "returned",
    "rejected_again",
    "superseded",
    "closed",
)
SETTLING = REJECT_EVENTS[1:]

reject_events = Table(
    "reject_events",
    metadata,
    Column("event_id", BigInteger, Identity(), primary_key=True, comment="Number of the event."),
    Column("reject_id", BigInteger, ForeignKey("raw.rejects.reject_id"), nullable=False, comment="Reject."),
    _text(
        "event",
        "replayed (still broken), or what settled it: accepted by a replay, dropped by a correction, returned "
        "corrected, rejected_again when returned, superseded by a later version of the file, closed by a person.",
    ),
    _instant("at", comment="When.", default_now=True),
    _text("actor", "Who."),
    Column("batch_id", BigInteger, ForeignKey("raw.batches.batch_id"), nullable=True, comment="Batch that did it."),
    _text("note", "Rule still broken, correction, new reject, or the person's reason.", nullable=True),
    CheckConstraint("event in ('" + "', '".join(REJECT_EVENTS) + "')", name="event_known"),
    Index("ix_reject_events_reject", "reject_id"),
    Index("ix_reject_events_batch", "batch_id"),
    schema="raw",
    comment="One row per event in the life of a reject.",
)

corrected_rows = Table(
    "corrected_rows",
    metadata,
    Column("corrected_id", BigInteger, Identity(), primary_key=True, comment="Number of the entry."),
    Column("batch_id", BigInteger, ForeignKey("raw.batches.batch_id"), nullable=False, comment="Batch of the file."),
    _text("table_name", "Raw table."),
    _text("source_file", "File name as delivered (and member of an archive)."),
    Column("source_row", Integer, nullable=False, comment="Line, sheet row or ordinal in the file, from 1."),
    _text("correction_id", "Id of the correction in contracts/corrections."),
    _text("correction_sha256", "Hash of the correction as applied."),
    _text("action", "drop, override, scale or flag."),
    _text("column_name", "Column that was changed; empty when the row was dropped or flagged."),
    _text("old_value", "Value as delivered; personal values are masked.", nullable=True),
    _text("new_value", "Value that was judged instead; personal values are masked.", nullable=True),
    _instant("at", comment="When.", default_now=True),
    CheckConstraint("action in ('drop', 'override', 'scale', 'flag')", name="action_known"),
    Index("ix_corrected_rows_batch", "batch_id"),
    schema="raw",
    comment="One row per cell that a correction changed, or row that it dropped or flagged.",
)

withdrawn_rows = Table(
    "withdrawn_rows",
    metadata,
    Column("withdrawn_id", BigInteger, Identity(), primary_key=True, comment="Number of the entry."),
    Column("batch_id", BigInteger, ForeignKey("raw.batches.batch_id"), nullable=False, comment="Batch of the row."),
    _text("table_name", "Raw table."),
    _text("source_file", "File name as delivered (and member of an archive)."),
    Column("source_row", Integer, nullable=False, comment="Line, sheet row or ordinal in the file, from 1."),
    _instant("known_at", comment="Known time from which the row no longer counts."),
    Column(
        "by_batch_id",
        BigInteger,
        ForeignKey("raw.batches.batch_id"),
        nullable=False,
        comment="Replay that withdrew it.",
    ),
    Column("is_replaced", Boolean, nullable=False, comment="Whether the replay brought in a row that stands instead."),
    _text("correction_id", "Correction that asked for it."),
    UniqueConstraint("batch_id", "table_name", "source_file", "source_row"),
    schema="raw",
    comment="One row per accepted row that stopped to count; the row itself stays.",
)

batch_figures = Table(
    "batch_figures",
    metadata,
    Column("batch_id", BigInteger, ForeignKey("raw.batches.batch_id"), primary_key=True),
    _text("table_name", "Raw table.", primary_key=True),
    _text("column_name", "Column with a unitGuard.", primary_key=True),
    Column("positive_values", BigInteger, nullable=False, comment="Values above zero."),
    Column("median", Numeric, nullable=True, comment="Their median."),
    schema="raw",
    comment="One row per batch and guarded column: what the unit guard compares deliveries by.",
)

# ----------------------------------------------------------------------------------------------------------- identity

identity_runs = Table(
    "runs",
    metadata,
    Column("identity_run_id", BigInteger, Identity(), primary_key=True, comment="Number of the run."),
    _instant("as_known", comment="Known time up to which rows were used."),
    _text("inputs_sha256", "Hash of the batches used."),
    _instant("created_at", comment="When the run was made.", default_now=True),
    schema="identity",
    comment="One row per resolution of who is who and who is where.",
)

enterprise_links = Table(
    "enterprise_links",
    metadata,
    Column("identity_run_id", BigInteger, ForeignKey("identity.runs.identity_run_id"), primary_key=True),
    _text("name_key", "Normalised name, as in raw.", primary_key=True),
    _text("enterprise_id_uscc", "USCC of the enterprise the name belongs to."),
    _text("method", "How it was found: exact_name, normalised_name, decision."),
    Column(
        "score",
        Numeric(5, 4),
        nullable=False,
        comment="1 for an exact match or a decision, 0.99 for another spelling of a registered name.",
    ),
    _text("evidence", "What the link rests on."),
    schema="identity",
    comment="One row per run and name that is linked to exactly one enterprise.",
)

review_queue = Table(
    "review_queue",
    metadata,
    Column("identity_run_id", BigInteger, ForeignKey("identity.runs.identity_run_id"), primary_key=True),
    _text("subject_kind", "name or point.", primary_key=True),
    _text("subject", "Normalised name, or USCC and date of the point.", primary_key=True),
    _text("reason", "unknown_name, ambiguous_name, doubtful_name (a decision took its link away), ambiguous_place."),
    Column(
        "candidates",
        JSONB,
        nullable=False,
        server_default="[]",
        comment="What it could be: enterprises with name, score and evidence, or parks.",
    ),
    schema="identity",
    comment="One row per run and case that a person has to decide.",
)

placements = Table(
    "placements",
    metadata,
    Column("identity_run_id", BigInteger, ForeignKey("identity.runs.identity_run_id"), primary_key=True),
    _text("enterprise_id_uscc", "USCC.", primary_key=True),
    Column("valid_from", Date, primary_key=True, comment="First day of the stay."),
    Column("valid_to", Date, nullable=True, comment="First day after the stay; null while it lasts."),
    _text("park_code", "Park; null where the enterprise is in no park.", nullable=True),
    _text("started_by", "registration, move, boundary or membership: why the stay began."),
    _text("previous_park_code", "Park by the former address under the plots of valid_from.", nullable=True),
    _text("plot_id", "Plot that contains the point.", nullable=True),
    _text(
        "method",
        "How it was found: decision, registered_member, point_in_plot, street_range, whole_town, none, ambiguous.",
    ),
    _text("evidence", "What the placement rests on."),
    Column("confidence", Numeric(5, 4), nullable=True, comment="Of the method, 0 to 1 (assumed)."),
    _text(
        "candidate_parks",
        "Parks that the rule cannot decide between, separated by commas; null unless ambiguous.",
        nullable=True,
    ),
    schema="identity",
    comment="One row per run, enterprise and stay in one park (or in none).",
)

identity_decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", BigInteger, Identity(), primary_key=True),
    Column(
        "decided_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="When, which is also from when on it is known.",
    ),
    _text("decided_by", "Who."),
    _text("action", "accept, reject or withdraw."),
    _text("subject_kind", "name, point or relation."),
    _text("subject", "Normalised name; USCC and date of a point; USCC of the enterprise that stands in a relation."),
    _text("target", "USCC or park; nobody for a name that is no enterprise's; * for whatever was decided."),
    _text("relation", "Kind of a relation.", nullable=True),
    Column("valid_from", Date, nullable=True, comment="First day of a relation."),
    Column("valid_to", Date, nullable=True, comment="First day after a relation."),
    _text("reason", "Why."),
    CheckConstraint("action in ('accept', 'reject', 'withdraw')", name="action_known"),
    CheckConstraint("subject_kind in ('name', 'point', 'relation')", name="kind_known"),
    CheckConstraint("(subject_kind = 'relation') = (relation is not null)", name="relation"),
    UniqueConstraint("decided_at", "subject_kind", "subject", "target"),
    schema="identity",
    comment="One row per decision of a person; appended, dated, applied again by every run that knows it.",
)

enterprise_relations = Table(
    "relations",
    metadata,
    Column("identity_run_id", BigInteger, ForeignKey("identity.runs.identity_run_id"), primary_key=True),
    _text("enterprise_id_uscc", "USCC of the enterprise.", primary_key=True),
    _text("relation", "branch_of, member_of_group, merged_into, split_from or succeeded_by.", primary_key=True),
    _text("other_enterprise_id_uscc", "USCC of the other one.", primary_key=True),
    Column("valid_from", Date, primary_key=True, comment="First day."),
    Column("valid_to", Date, nullable=True, comment="First day after; null while it lasts."),
    _text("method", "branch_name or decision."),
    Column("score", Numeric(5, 4), nullable=False, comment="1: relations are found exactly or decided."),
    _text("evidence", "What it rests on."),
    schema="identity",
    comment="One row per run and dated relation between two enterprises.",
)

address_findings = Table(
    "address_findings",
    metadata,
    Column("identity_run_id", BigInteger, ForeignKey("identity.runs.identity_run_id"), primary_key=True),
    _text("enterprise_id_uscc", "USCC.", primary_key=True),
    Column("valid_from", Date, primary_key=True, comment="First day of the registry row."),
    _text("finding", "virtual_office, free_trade_zone, former_district …", primary_key=True),
    _text("evidence", "What was seen."),
    schema="identity",
    comment="One row per run, registry row and remarkable thing about its address.",
)

further_applicants = Table(
    "further_applicants",
    metadata,
    Column("identity_run_id", BigInteger, ForeignKey("identity.runs.identity_run_id"), primary_key=True),
    _text("publication_number", "Publication.", primary_key=True),
    _text("kind", "Kind of the publication.", primary_key=True),
    Column("position", Integer, primary_key=True, comment="Place among the applicants, from 2."),
    _text("name_key", "Normalised name, as in enterprise_links."),
    schema="identity",
    comment="One row per run and applicant of a publication after the first.",
)

plot_distances = Table(
    "plot_distances",
    metadata,
    Column("identity_run_id", BigInteger, ForeignKey("identity.runs.identity_run_id"), primary_key=True),
    _text("plot_id", "Plot.", primary_key=True),
    Column("valid_from", Date, primary_key=True, comment="Its first day of validity."),
    _text("other_plot_id", "Another plot of the same park.", primary_key=True),
    Column("other_valid_from", Date, primary_key=True, comment="That one's first day of validity."),
    Column("distance_metres", Numeric(12, 3), nullable=False, comment="Least distance between the two polygons."),
    schema="identity",
    comment="One row per run and ordered pair of near plots of one park; farther ones are not listed.",
)

# -------------------------------------------------------------------------------------------------------- methodology


def _versioned(name: str, *columns: Column[object] | UniqueConstraint, comment: str) -> Table:
    """Make a table of the methodology: rows belong to one version, by its hash."""
    version: Column[object] = Column("methodology_sha256", Text, primary_key=True, comment="Hash of the methodology.")
    return Table(name, metadata, version, *columns, schema="methodology", comment=comment)


methodology_editions = _versioned(
    "editions",
    Column("edition", Integer, nullable=False, comment="Evaluation year."),
    Column("title", Text, nullable=False, comment="Title of the methodology."),
    Column("document", JSONB, nullable=False, comment="The resolved methodology, whole."),
    _instant("stored_at", comment="When it was stored.", default_now=True),
    comment="One row per version of a methodology.",
)
methodology_areas = _versioned(
    "areas",
    Column("area_code", Text, primary_key=True, comment="A to D."),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("position", Integer, nullable=False, comment="Order on the page."),
    comment="One row per version and assessment area.",
)
methodology_indicators = _versioned(
    "indicators",
    Column("indicator_code", Text, primary_key=True, comment="For example B2."),
    Column("area_code", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("direction", SmallInteger, nullable=False, comment="1: more is better, -1: less is better."),
    Column("formula", Text, nullable=False),
    Column("clause", Text, nullable=False, comment="Clause of the policy text the topic comes from."),
    Column("weight", Numeric(9, 4), nullable=False, comment="Percent of the whole framework."),
    Column("weight_mark", Text, nullable=False, comment="documented or assumed."),
    Column("definition_mark", Text, nullable=False, comment="documented or assumed."),
    Column("bound_low", Numeric(24, 6), nullable=True, comment="Value that scores 0 (100 when direction is -1)."),
    Column("bound_high", Numeric(24, 6), nullable=True, comment="Value that scores 100 (0 when direction is -1)."),
    Column("bound_mark", Text, nullable=False, comment="documented or assumed."),
    Column("state", Text, nullable=False, comment="computed or not_computed in this version of parkindex."),
    Column("position", Integer, nullable=False),
    comment="One row per version and indicator.",
)
methodology_parks = _versioned(
    "parks",
    Column("park_code", Text, primary_key=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("districts", Text, nullable=False),
    Column("peer_group", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("mark", Text, nullable=False, comment="documented or assumed."),
    Column("source", Text, nullable=False),
    comment="One row per version and park.",
)
methodology_industry_sets = _versioned(
    "industry_sets",
    Column("set_code", Text, primary_key=True, comment="IC, BIO, AI, TECH, HARD or SERVICE."),
    Column("industry_code", Text, primary_key=True, comment="GB/T 4754 class."),
    Column("industry_standard", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("membership", Text, nullable=False, comment="core or partial."),
    comment="One row per version, set and class.",
)
methodology_equity_rounds = _versioned(
    "equity_rounds",
    Column("round", Text, primary_key=True),
    Column("is_early", Boolean, nullable=False, comment="Whether money raised in it counts as early."),
    comment="One row per version and round name that counts as a disclosed equity round.",
)
methodology_recognition_kinds = _versioned(
    "recognition_kinds",
    Column("recognition_kind", Text, primary_key=True, comment="List of recognised enterprises."),
    Column("points", Numeric(9, 4), nullable=True, comment="Rung of the gradient ladder (A6); null when on none."),
    Column("counted_in", Text, nullable=True, comment="Indicator that counts enterprises on this list."),
    comment="One row per version and recognition list that counts somewhere.",
)
methodology_self_report_items = _versioned(
    "self_report_items",
    Column("item_code", Text, primary_key=True, comment="For example C1.2."),
    Column("indicator_code", Text, nullable=False),
    Column("side", Text, nullable=False, comment="numerator or denominator."),
    Column("factor", Numeric(18, 6), nullable=False, comment="What the reported number is multiplied by."),
    Column("times_item", Text, nullable=True, comment="Item whose number it is multiplied by, too."),
    Column("part_of", Text, nullable=True, comment="Item whose number it may not exceed."),
    Column("highest", Numeric(24, 6), nullable=True, comment="Greatest number that can be."),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("unit", Text, nullable=False, comment="Unit it must be reported in."),
    Column("position", Integer, nullable=False),
    comment="One row per version and item of the parks' reports that counts.",
)
methodology_ipc_sets = _versioned(
    "ipc_sets",
    Column("set_code", Text, primary_key=True, comment="SEI: strategic emerging industries."),
    Column("ipc_subclass", Text, primary_key=True, comment="First four characters of an IPC symbol."),
    Column("name_zh", Text, nullable=False),
    comment="One row per version, set and IPC subclass.",
)
methodology_exchange_rates = _versioned(
    "exchange_rates",
    Column("currency", Text, primary_key=True, comment="ISO 4217 code."),
    Column("valid_from", Date, primary_key=True, comment="First day."),
    Column("valid_to", Date, nullable=False, comment="Last day."),
    Column("cny_per_unit", Numeric(18, 8), nullable=False),
    comment="One row per version, currency and span of days.",
)
methodology_tiers = _versioned(
    "tiers",
    Column("tier", SmallInteger, primary_key=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("rank_from", Integer, nullable=False),
    Column("rank_to", Integer, nullable=False),
    comment="One row per version and tier.",
)
methodology_zone_targets = _versioned(
    "zone_targets",
    Column("target_code", Text, primary_key=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("operator", Text, nullable=False),
    Column("goal_low", Numeric(24, 6), nullable=False),
    Column("goal_high", Numeric(24, 6), nullable=True),
    Column("unit", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("clause", Text, nullable=False),
    comment="One row per version and target of the policy text for 2025.",
)
methodology_rules = _versioned(
    "rules",
    Column("rule_code", Text, primary_key=True, comment="area_min_share, rank_decimals, status_rule, …"),
    Column("value_numeric", Numeric(24, 6), nullable=True),
    Column("value_text", Text, nullable=True),
    Column("mark", Text, nullable=False),
    comment="One row per version and rule parameter.",
)

methodology_signoffs = _versioned(
    "signoffs",
    Column("signed_by", Text, primary_key=True, comment="Who froze the rules."),
    Column("edition", Integer, nullable=False, comment="Evaluation year."),
    Column("version", Text, nullable=False, comment="Version of the rules."),
    Column("is_demo", Boolean, nullable=False, comment="A stand-in of the sample: nobody really signed."),
    Column("signed_on", Date, nullable=False, comment="Day from which the rules were not changed any more."),
    Column("reason", Text, nullable=False, comment="Why this version was made."),
    comment="One row per version of a methodology and person who froze it, from methodology/<edition>/frozen.yaml.",
)

# -------------------------------------------------------------------------------------------------------------- audit

gate_runs = Table(
    "gate_runs",
    metadata,
    Column("gate_run_id", BigInteger, Identity(), primary_key=True),
    _text("subject", "What was gated: candidate or marts."),
    _text("candidate_id", "Candidate; null for the continuous marts.", nullable=True),
    _text("content_sha256", "Content hash the verdict is bound to; null for marts.", nullable=True),
    _text("against_release_id", "Release whose consequences the candidate's were compared with.", nullable=True),
    _text("suites_sha256", "Hash of the suites evaluated."),
    _text("verdict", "pass or fail."),
    Column("expectations_evaluated", Integer, nullable=False),
    _instant("finished_at", comment="When the verdict was given.", default_now=True),
    CheckConstraint("verdict in ('pass', 'fail')", name="verdict_known"),
    CheckConstraint("verdict = 'fail' or expectations_evaluated > 0", name="never_vacuous"),
    schema="audit",
    comment="One row per run of the gate.",
)

expectation_results = Table(
    "expectation_results",
    metadata,
    Column("gate_run_id", BigInteger, ForeignKey("audit.gate_runs.gate_run_id"), primary_key=True),
    _text("expectation_id", "Id of the expectation.", primary_key=True),
    _text("stage", "raw, staging, marts, park_index or edition."),
    _text("severity", "error stops, warning prints."),
    Column("success", Boolean, nullable=False),
    _text("observed", "What was seen.", nullable=True),
    Column("rows_looked_at", BigInteger, nullable=False),
    Column("failing_keys", JSONB, nullable=False, server_default="[]", comment="Keys that failed, all of them."),
    Column("waiver_ids", JSONB, nullable=False, server_default="[]", comment="Waivers that let the failure through."),
    schema="audit",
    comment="One row per gate run and expectation.",
)

attempts = Table(
    "attempts",
    metadata,
    Column("attempt_id", BigInteger, Identity(), primary_key=True),
    _instant("at", comment="When.", default_now=True),
    _text("actor", "Who."),
    _text("action", "land, build, gate, approve, publish, …"),
    _text("subject", "What it was done to."),
    _text("outcome", "done or refused."),
    _text("reason", "Why it was refused, or let through.", nullable=True),
    schema="audit",
    comment="One row per attempt to change what is or may be published.",
)

# ------------------------------------------------------------------------------------------------------------ publish

candidates = Table(
    "candidates",
    metadata,
    Column("candidate_number", BigInteger, Identity(), primary_key=True),
    _text("candidate_id", "For example 2025-c3."),
    Column("edition", Integer, nullable=False),
    _text("schema_prefix", "Prefix of the candidate's schemas."),
    _instant("as_known", comment="Known time it was built at."),
    _text("methodology_sha256", "Hash of the methodology."),
    _text("code_sha256", "Hash of the code that built it."),
    _text("inputs_sha256", "Hash of the batches used."),
    _text("content_sha256", "Hash of what would be published."),
    Column("identity_run_id", BigInteger, nullable=False),
    _text("built_by", "Who or what built it."),
    _instant("built_at", comment="When.", default_now=True),
    UniqueConstraint("candidate_id"),
    schema="publish",
    comment="One row per candidate that was built whole.",
)

approvers = Table(
    "approvers",
    metadata,
    _text("approver", "Name used to approve.", primary_key=True),
    _text("role", "evaluator, methodologist or signatory."),
    Column("is_demo", Boolean, nullable=False, comment="A stand-in of the sample, printed as such on the release."),
    _text("registered_by", "Who registered them; null when it was not kept.", nullable=True),
    _instant("registered_at", comment="When.", default_now=True),
    schema="publish",
    comment="One row per person who may approve.",
)

approver_endings = Table(
    "approver_endings",
    metadata,
    Column("approver", Text, ForeignKey("publish.approvers.approver"), primary_key=True),
    _text("ended_by", "Who ended the registration."),
    _text("reason", "Why."),
    _instant("ended_at", comment="From when the person decides nothing any more.", default_now=True),
    schema="publish",
    comment="One row per person who may no longer approve; what they decided before stays on record.",
)

approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", BigInteger, Identity(), primary_key=True),
    _text("candidate_id", "Candidate."),
    _text("content_sha256", "Content hash that was looked at."),
    _text("methodology_sha256", "Methodology that was looked at."),
    _text("code_sha256", "Code that built it."),
    _text("approver", "Who."),
    _text("role", "In which role."),
    _text("decision", "approve or reject."),
    _text("note", "Remark.", nullable=True),
    _text("replaces_release_id", "Release of the edition that was current then; null when none was.", nullable=True),
    Column("renewal", SmallInteger, nullable=False, server_default="0", comment="How often it was renewed before."),
    _instant("decided_at", comment="When.", default_now=True),
    CheckConstraint("decision in ('approve', 'reject')", name="decision_known"),
    # One decision per person; another only when the release it would replace has changed, or the approval expired.
    UniqueConstraint("candidate_id", "approver", "replaces_release_id", "renewal", postgresql_nulls_not_distinct=True),
    schema="publish",
    comment="One row per decision, bound to the candidate's hashes.",
)

releases = Table(
    "releases",
    metadata,
    _text("release_id", "For example 2025.1.", primary_key=True),
    Column("edition", Integer, nullable=False),
    Column("sequence", Integer, nullable=False, comment="Place in the hash chain, from 1."),
    _text("candidate_id", "Candidate that was published."),
    _text("content_sha256", "Hash of the published rows, data_quality excepted."),
    _text("annex_sha256", "Hash of what depends on when deliveries and releases came: data_quality, revisions, …"),
    _text("previous_sha256", "Chain hash of the release before; 64 zeros for the first."),
    _text("chain_sha256", "Hash that binds this release to all before it."),
    _text("methodology_sha256", "Methodology."),
    _text("inputs_sha256", "Inputs."),
    _text("code_sha256", "Code."),
    _instant("as_known", comment="Known time of the inputs."),
    _instant("published_at", comment="When."),
    _text("reason", "Why: first release of the edition, or the typed reason of a revision."),
    _text("approved_by", "Approvers and roles, as printed."),
    Column("gate_run_id", BigInteger, nullable=False),
    _text(
        "grounds_sha256",
        "Hash of the decisions, verdict and candidate's record; null in releases of before it was kept.",
        nullable=True,
    ),
    _text("revision_type", "R1, R2, R3 or C; null for the first release of an edition.", nullable=True),
    _text(
        "supersedes_release_id", "Release of the edition that was current before; null when none was.", nullable=True
    ),
    UniqueConstraint("sequence"),
    UniqueConstraint("candidate_id"),
    schema="publish",
    comment="One row per release; never changed.",
)

grounds = Table(
    "grounds",
    metadata,
    Column("release_id", Text, ForeignKey("publish.releases.release_id"), primary_key=True),
    _text("table_name", "Schema and table of the row.", primary_key=True),
    _text("row_key", "Its primary key, parts joined by a slash.", primary_key=True),
    _text("row_sha256", "Hash of its cells as they were then."),
    schema="publish",
    comment="One row per release and row of the ledger that it rests on.",
)

current = Table(
    "current",
    metadata,
    Column("edition", Integer, primary_key=True),
    Column("release_id", Text, ForeignKey("publish.releases.release_id"), nullable=False),
    _instant("moved_at", comment="When the pointer was moved.", default_now=True),
    schema="publish",
    comment="One row per edition: which release is current. Moved in the publishing transaction.",
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("release_id", Text, ForeignKey("publish.releases.release_id"), primary_key=True),
    _text("withdrawn_by", "Who."),
    _text("reason", "Why, as printed."),
    _instant("withdrawn_at", comment="When.", default_now=True),
    schema="publish",
    comment="One row per release that was withdrawn; its rows stay readable.",
)

status_decisions = Table(
    "status_decisions",
    metadata,
    Column("decision_id", BigInteger, Identity(), primary_key=True),
    Column("release_id", Text, ForeignKey("publish.releases.release_id"), nullable=False),
    Column("edition", Integer, nullable=False, comment="Evaluation year."),
    _text("park_code", "Park."),
    _text("status", "normal, notice, delisted or commended: what was decided."),
    _text("proposed", "What the rule proposed then; null when it proposed nothing.", nullable=True),
    _text("rule", "Rule and window of the proposal."),
    Column("evidence", JSONB, nullable=False, comment="What the proposal rested on: editions, ranks, intervals."),
    Column("crosses_line", Boolean, nullable=False, comment="The park's rank interval crossed the line."),
    _text("decided_by", "Who, as registered."),
    _text("role", "In which role."),
    _text("reason", "Why."),
    _instant("decided_at", comment="When.", default_now=True),
    CheckConstraint("status in ('normal', 'notice', 'delisted', 'commended')", name="status_known"),
    Index("ix_status_decisions_park", "park_code", "edition"),
    schema="publish",
    comment="One row per decision of a person about a park's status; nothing here is decided by a rule.",
)


waivers = Table(
    "waivers",
    metadata,
    Column("waiver_id", BigInteger, Identity(), primary_key=True),
    _text("candidate_id", "Candidate."),
    _text("content_sha256", "Content hash of what was looked at."),
    _text("expectation_id", "Expectation that fails and may be waived."),
    Column("failing_key", JSONB, nullable=False, comment="The failure that was looked at, whole."),
    _text("signed_by", "Who, as registered."),
    _text("role", "In which role."),
    _text("reason", "Why it is let through, as printed on the release."),
    _instant("signed_at", comment="When.", default_now=True),
    _instant("expires_at", comment="From when it lets nothing through any more."),
    Index("ix_waivers_candidate", "candidate_id"),
    schema="publish",
    comment="One row per failure of the gate that a named person lets through, bound to the candidate's hash.",
)

release_calendar = Table(
    "release_calendar",
    metadata,
    Column("entry_id", BigInteger, Identity(), primary_key=True),
    Column("edition", Integer, nullable=False, comment="Evaluation year."),
    _instant("embargo_until", comment="Nothing is published before; null: no embargo.", nullable=True),
    _instant("preview_from", comment="Parks see their own figures from then on.", nullable=True),
    _instant("preview_to", comment="Until then.", nullable=True),
    _instant("objections_from", comment="Objections are taken from then on.", nullable=True),
    _instant("objections_to", comment="Until then.", nullable=True),
    _text("set_by", "Who, as registered."),
    _text("role", "In which role."),
    _text("reason", "Why, as printed."),
    _instant("set_at", comment="When.", default_now=True),
    CheckConstraint("num_nonnulls(preview_from, preview_to) <> 1", name="preview_has_both_ends"),
    CheckConstraint("num_nonnulls(objections_from, objections_to) <> 1", name="objections_have_both_ends"),
    CheckConstraint("preview_from < preview_to and objections_from < objections_to", name="windows_end_after_start"),
    Index("ix_release_calendar_edition", "edition"),
    schema="publish",
    comment="One row per setting of an edition's dates; the latest counts, the earlier ones stay.",
)

preview_accesses = Table(
    "preview_accesses",
    metadata,
    Column("access_id", BigInteger, Identity(), primary_key=True),
    _text("candidate_id", "Candidate."),
    _text("content_sha256", "Content hash of what was shown."),
    _text("park_code", "Park whose figures were shown."),
    _text("shown_to", "Who was shown it."),
    _text("shown_by", "Who wrote it."),
    _instant("shown_at", comment="When.", default_now=True),
    schema="publish",
    comment="One row per access to unpublished figures of a park.",
)

objections = Table(
    "objections",
    metadata,
    Column("objection_id", BigInteger, Identity(), primary_key=True),
    Column("edition", Integer, nullable=False, comment="Evaluation year."),
    _text("release_id", "Release objected to; null for a candidate.", nullable=True),
    _text("candidate_id", "Candidate objected to, or the release's."),
    _text("content_sha256", "Content hash of it."),
    _text("park_code", "Park that objects."),
    _text("indicator_code", "Indicator objected to; null: the assessment as a whole.", nullable=True),
    Column("claimed_value", Numeric(38, 12), nullable=True, comment="Value the park holds right; null: none given."),
    _text("reason", "Why, in the park's words."),
    _text("evidence_name", "Name of the evidence file.", nullable=True),
    _text("evidence_sha256", "Hash of the evidence file.", nullable=True),
    _text("opened_by", "Who."),
    _instant("opened_at", comment="When.", default_now=True),
    Column("effect", JSONB, nullable=False, comment="Every park before and after, were the claimed value right."),
    CheckConstraint("num_nonnulls(evidence_name, evidence_sha256) in (0, 2)", name="evidence_is_told_whole"),
    CheckConstraint("claimed_value is null or indicator_code is not null", name="value_is_of_an_indicator"),
    Index("ix_objections_edition", "edition"),
    schema="publish",
    comment="One row per objection of a park.",
)

objection_decisions = Table(
    "objection_decisions",
    metadata,
    Column("objection_id", BigInteger, ForeignKey("publish.objections.objection_id"), primary_key=True),
    _text("decision", "upheld or rejected."),
    _text("decided_by", "Who, as registered."),
    _text("role", "In which role."),
    _text("reason", "Why, as printed."),
    Column("decided_value", Numeric(38, 12), nullable=True, comment="Value found right; null: none was found."),
    Column("effect", JSONB, nullable=False, comment="Every park before and after, by the value found right."),
    _instant("decided_at", comment="When.", default_now=True),
    CheckConstraint("decision in ('upheld', 'rejected')", name="decision_known"),
    schema="publish",
    comment="One row per objection that was decided; never decided twice.",
)

objection_corrections = Table(
    "objection_corrections",
    metadata,
    Column("objection_id", BigInteger, ForeignKey("publish.objections.objection_id"), primary_key=True),
    Column("release_id", Text, ForeignKey("publish.releases.release_id"), nullable=False),
    schema="publish",
    comment="One row per upheld objection and the release that corrected what it was about.",
)

anchor_receipts = Table(
    "anchor_receipts",
    metadata,
    Column("receipt_id", BigInteger, Identity(), primary_key=True),
    Column("release_id", Text, ForeignKey("publish.releases.release_id"), nullable=False),
    _text("anchor", "Where it was handed to, without secrets."),
    _text("chain_sha256", "Head of the chain that was handed over."),
    _text("receipt", "What the anchor gave back: a place in a file, a commit, a message id."),
    _instant("handed_at", comment="When.", default_now=True),
    Index("ix_anchor_receipts_release", "release_id"),
    schema="publish",
    comment="One row per release and place outside the warehouse that keeps its head hash.",
)

candidate_files = Table(
    "candidate_files",
    metadata,
    _text("candidate_id", "Candidate.", primary_key=True),
    _text("kind", "code or lock.", primary_key=True),
    _text("path", "Path in the checkout.", primary_key=True),
    _text("sha256", "Hash of its bytes."),
    CheckConstraint("kind in ('code', 'lock')", name="kind_known"),
    schema="publish",
    comment="One row per file that a candidate was made by, so that a rebuild can say which one differs.",
)


def _released(name: str, *columns: Column[object] | CheckConstraint, comment: str, schema: str = "publish") -> Table:
    """Make a table of frozen rows: copied from a candidate, keyed by release, never changed."""
    release: Column[object] = Column("release_id", Text, ForeignKey("publish.releases.release_id"), primary_key=True)
    edition: Column[object] = Column("edition", Integer, nullable=False)
    return Table(name, metadata, release, edition, *columns, schema=schema, comment=comment)


released_park_ranking = _released(
    "park_ranking",
    Column("park_code", Text, primary_key=True),
    Column("park_name_zh", Text, nullable=False),
    Column("park_name_en", Text, nullable=False),
    Column("rank", Integer, nullable=True),
    Column("is_tied", Boolean, nullable=False),
    Column("score", Numeric(20, 12), nullable=True),
    Column("tier", SmallInteger, nullable=True),
    Column("status", Text, nullable=False),
    Column("rank_low", Integer, nullable=True),
    Column("rank_high", Integer, nullable=True),
    Column("tier_share", Numeric(9, 6), nullable=True),
    Column("rank_previous", Integer, nullable=True),
    Column("rank_change", Integer, nullable=True),
    Column("obs_status", Text, nullable=False),
    CheckConstraint("score is null or (score = score and score between 0 and 100)", name="score_is_a_number"),
    comment="One row per release and park.",
)
released_area_scores = _released(
    "area_scores",
    Column("park_code", Text, primary_key=True),
    Column("area_code", Text, primary_key=True),
    Column("area_name_zh", Text, nullable=False),
    Column("area_name_en", Text, nullable=False),
    Column("score", Numeric(20, 12), nullable=True),
    Column("weight", Numeric(20, 12), nullable=True, comment="Effective weight in the total, percent."),
    Column("weight_share", Numeric(20, 12), nullable=False, comment="Share of the area's weight with a score."),
    Column("rank", Integer, nullable=True),
    Column("obs_status", Text, nullable=False),
    comment="One row per release, park and area.",
)
released_indicator_scores = _released(
    "indicator_scores",
    Column("park_code", Text, primary_key=True),
    Column("indicator_code", Text, primary_key=True),
    Column("value", Numeric(38, 12), nullable=True),
    Column("unit", Text, nullable=False),
    Column("numerator", Numeric(38, 12), nullable=True),
    Column("denominator", Numeric(38, 12), nullable=True),
    Column("data_year", Integer, nullable=True),
    Column("evidence_count", BigInteger, nullable=False),
    Column("obs_status", Text, nullable=False),
    Column("reason", Text, nullable=True),
    Column("bound_low", Numeric(24, 6), nullable=True),
    Column("bound_high", Numeric(24, 6), nullable=True),
    Column("score", Numeric(20, 12), nullable=True),
    Column("weight", Numeric(20, 12), nullable=True, comment="Effective weight in the total, percent."),
    Column("contribution", Numeric(20, 12), nullable=True, comment="Points of the total score."),
    Column("rank", Integer, nullable=True),
    Column("conf_status", Text, nullable=True, comment="F free, C confidential, D hidden so that C stays hidden."),
    Column("commitment", Text, nullable=True, comment="Keyed hash of what a hidden cell would say; null when free."),
    comment="One row per release, park and indicator.",
)
released_indicators = _released(
    "indicators",
    Column("indicator_code", Text, primary_key=True),
    Column("area_code", Text, nullable=False),
    Column("area_name_zh", Text, nullable=False),
    Column("area_name_en", Text, nullable=False),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("direction", SmallInteger, nullable=False),
    Column("formula", Text, nullable=False),
    Column("clause", Text, nullable=False),
    Column("weight", Numeric(9, 4), nullable=False),
    Column("weight_mark", Text, nullable=False),
    Column("definition_mark", Text, nullable=False),
    Column("bound_low", Numeric(24, 6), nullable=True),
    Column("bound_high", Numeric(24, 6), nullable=True),
    Column("bound_mark", Text, nullable=False),
    Column("state", Text, nullable=False),
    comment="One row per release and indicator: the framework as published.",
)
released_parks = _released(
    "parks",
    Column("park_code", Text, primary_key=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("districts", Text, nullable=False),
    Column("peer_group", Text, nullable=False),
    Column("mark", Text, nullable=False),
    Column("source", Text, nullable=False),
    comment="One row per release and park.",
)
released_zone_targets = _released(
    "zone_targets",
    Column("target_code", Text, primary_key=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("value", Numeric(38, 12), nullable=True),
    Column("goal", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("met", Boolean, nullable=True),
    Column("obs_status", Text, nullable=False),
    Column("reason", Text, nullable=True),
    comment="One row per release and target of the policy text.",
)
released_park_status = _released(
    "park_status",
    Column("park_code", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("strikes", Integer, nullable=True),
    Column("rule", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    comment="One row per release and park.",
)
released_data_quality = _released(
    "data_quality",
    Column("feed", Text, primary_key=True),
    Column("batches", Integer, nullable=False),
    Column("rows_landed", BigInteger, nullable=False),
    Column("rows_accepted", BigInteger, nullable=False),
    Column("rows_rejected", BigInteger, nullable=False),
    Column("rows_duplicate", BigInteger, nullable=False),
    Column("reject_share", Numeric(20, 12), nullable=True),
    Column("late_days", Integer, nullable=True),
    comment="One row per release and feed.",
)
released_park_quality = _released(
    "park_quality",
    Column("feed", Text, primary_key=True),
    Column("park_code", Text, primary_key=True, comment="Park that the rows name; none where they name none."),
    Column("rows_accepted", BigInteger, nullable=False),
    Column("rows_rejected", BigInteger, nullable=False),
    Column("reject_share", Numeric(20, 12), nullable=False),
    comment="One row per release, feed and park.",
)
released_feed_contracts = _released(
    "feed_contracts",
    Column("feed", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("contract_sha256", Text, nullable=False, comment="Hash of the contract's bytes."),
    Column("document", Text, nullable=False, comment="The contract, as it was in force."),
    comment="One row per release and feed.",
)
revisions = _released(
    "revisions",
    Column("table_name", Text, primary_key=True),
    Column("row_key", Text, primary_key=True),
    Column("column_name", Text, primary_key=True),
    Column("old_value", Text, nullable=True),
    Column("new_value", Text, nullable=True),
    Column("previous_release_id", Text, nullable=False),
    comment="One row per release and cell that differs from the edition's release before.",
)

status_changes = _released(
    "status_changes",
    Column("park_code", Text, primary_key=True),
    Column("what", Text, primary_key=True, comment="status, proposal, tier or pass."),
    Column("old_value", Text, nullable=True),
    Column("new_value", Text, nullable=True),
    Column("previous_release_id", Text, nullable=False),
    comment="One row per release, park and consequence that differs from the edition's release before.",
)

# The tables whose rows are the content of a release, in hashing order. Each is a model of the same name in a
# candidate's park_index schema.
CONTENT_TABLES: tuple[Table, ...] = (
    released_park_ranking,
    released_area_scores,
    released_indicator_scores,
    released_indicators,
    released_parks,
    released_zone_targets,
    released_park_status,
)

# Frozen with a release, hashed apart (ADR 0004): the quality figures are taken from the batches, the contracts from the
# project, revisions and status_changes from the release before.
ANNEX_TABLES: tuple[Table, ...] = (
    released_data_quality,
    released_park_quality,
    released_feed_contracts,
    revisions,
    status_changes,
)

RELEASED_TABLES: tuple[Table, ...] = (*CONTENT_TABLES, *ANNEX_TABLES)

# ------------------------------------------------------------------------------------------------------------ privacy

withheld_cells = _released(
    "withheld_cells",
    Column("park_code", Text, primary_key=True),
    Column("indicator_code", Text, primary_key=True),
    Column("value", Numeric(38, 12), nullable=True),
    Column("numerator", Numeric(38, 12), nullable=True),
    Column("denominator", Numeric(38, 12), nullable=True),
    Column("score", Numeric(20, 12), nullable=True),
    Column("contribution", Numeric(20, 12), nullable=True),
    Column("rank", Integer, nullable=True),
    Column("conf_status", Text, nullable=False, comment="C or D, as on the public row."),
    Column("rule", Text, nullable=False, comment="The rule that hides it, see docs/privacy.md."),
    comment="One row per release and cell that the public row does not show; a park's officers see their own.",
    schema="privacy",
)

pseudonyms = Table(
    "pseudonyms",
    metadata,
    Column("key_year", Integer, primary_key=True, autoincrement=False, comment="Year of the key it was made with."),
    _text("enterprise_id_uscc", "USCC.", primary_key=True),
    _text("pseudonym", "Keyed hash; the key is not in the warehouse."),
    UniqueConstraint("key_year", "pseudonym"),
    schema="privacy",
    comment="One row per key year and enterprise that a reading role sees under another name.",
)

park_officers = Table(
    "park_officers",
    metadata,
    _text("login", "Login of the warehouse.", primary_key=True),
    _text("park_code", "The park it may look into."),
    _text("registered_by", "Who registered it."),
    _instant("registered_at", comment="When.", default_now=True),
    schema="privacy",
    comment="One row per login of a park's officers.",
)

access_log = Table(
    "access_log",
    metadata,
    Column("access_id", BigInteger, Identity(), primary_key=True),
    _instant("at", comment="When.", default_now=True),
    _text("login", "Login of the warehouse that read."),
    _text("reader", "Person, as given; null where only the login is known.", nullable=True),
    _text("what", "records, personal, rejects: kind of data."),
    _text("subject", "What was read: release, park and indicator; or feed and batch."),
    _text("purpose", "What for, as given."),
    Column("rows_read", BigInteger, nullable=False, comment="How many rows were given out."),
    Column("transaction_number", BigInteger, nullable=True, comment="Transaction that asked, where one reads later."),
    CheckConstraint("purpose <> ''", name="purpose_given"),
    schema="privacy",
    comment="One row per access to data of single persons or enterprises.",
)

erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", BigInteger, Identity(), primary_key=True),
    _instant("at", comment="When.", default_now=True),
    _text("erased_by", "Who."),
    _text("reason", "Why: retention, or the request of a person."),
    _text("feed", "Feed."),
    Column("batch_id", BigInteger, ForeignKey("raw.batches.batch_id"), nullable=False, comment="Batch."),
    _text("file_sha256", "Hash of the file as received: the evidence that stays."),
    Column("columns", JSONB, nullable=False, comment="Columns that were erased."),
    Column("cells_in_raw", BigInteger, nullable=False, comment="Cells emptied in raw tables."),
    Column("cells_in_rejects", BigInteger, nullable=False, comment="Cells emptied in rows set aside."),
    Column("file_removed", Boolean, nullable=False, comment="Whether the received bytes were removed."),
    schema="privacy",
    comment="One row per batch whose personal fields were erased.",
)
