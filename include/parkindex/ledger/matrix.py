"""Who may do what in the warehouse, as data: what is not here is refused.

The matrix is declared once and applied by :mod:`parkindex.ledger.roles`, which also takes away what somebody granted
beside it. Roles guard against mistakes and against a leaked login of a role; they do not guard against whoever owns
the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from parkindex.ledger import tables

READ = frozenset({"SELECT"})
ADD = frozenset({"SELECT", "INSERT"})
# What publishing writes. People's records (registry, approvals, waivers, calendar, decisions) it only finds.
_OF_RELEASES = (
    "releases",
    "grounds",
    "current",
    "withdrawals",
    "status_changes",
    "objection_corrections",
    "anchor_receipts",
    *(table.name for table in tables.RELEASED_TABLES),
)


@dataclass(frozen=True)
class Grant:
    """What a role may do with the relations of one schema.

    Attributes:
        schema: Schema.
        verbs: Privileges on each relation meant, as Postgres calls them.
        only: The relations meant; None means all there are and will be.
        but: Relations that are not meant.
    """

    schema: str
    verbs: frozenset[str]
    only: tuple[str, ...] | None = None
    but: tuple[str, ...] = ()

    def means(self, relation: str) -> bool:
        """Whether a relation of the schema is meant."""
        return relation not in self.but and (self.only is None or relation in self.only)


@dataclass(frozen=True)
class Role:
    """A role of the warehouse.

    Attributes:
        name: Name on the command line.
        purpose: What it is for.
        grants: What it may do with relations.
        functions: Functions of schema ``privacy`` that it may call.
        sequences: Sequences it may take numbers from, as ``schema.name``.
        may_log_in: Whether it has a password; the others are only entered by the owner (``set role``) or by members.
        reads_only: Sessions begin read-only, and long queries are ended.
        makes_schemas: Whether it may create schemas: those it then owns.
    """

    name: str
    purpose: str
    grants: tuple[Grant, ...] = ()
    functions: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    may_log_in: bool = True
    reads_only: bool = False
    makes_schemas: bool = False
    member_of: tuple[str, ...] = field(default=())

    @property
    def login(self) -> str:
        """Name in Postgres."""
        return f"parkindex_{self.name}"

    def verbs(self, schema: str, relation: str) -> frozenset[str]:
        """Return what it may do with a relation."""
        found: frozenset[str] = frozenset()
        for grant in self.grants:
            if grant.schema == schema and grant.means(relation):
                found |= grant.verbs
        return found

    @property
    def schemas(self) -> frozenset[str]:
        """Schemas it may look into."""
        return frozenset(grant.schema for grant in self.grants) | ({"privacy"} if self.functions else frozenset())


_PUBLIC = Grant("serve", READ)
CONFIDENTIAL = Role(
    "confidential",
    "Membership: sees figures of single enterprises in the served marts.",
    functions=("sees_confidential",),
    may_log_in=False,
)
LOADER = Role(
    "loader",
    "Lands deliveries: adds batches, rows and rejects.",
    (
        Grant("raw", ADD),
        Grant("raw", frozenset({"UPDATE"}), only=("batches", "rejects")),
        # Contradicting rows of the file that is being loaded are taken back into the rejects; a trigger sees to it
        # that no other row can go.
        Grant(
            "raw",
            frozenset({"DELETE"}),
            but=("batches", "rejects", "reject_events", "corrected_rows", "withdrawn_rows", "batch_figures"),
        ),
        Grant("audit", ADD, only=("attempts",)),
    ),
    may_log_in=False,
)
BUILDER = Role(
    "builder",
    "Builds candidates and the next marts in schemas of its own, and runs the gate.",
    (
        Grant("raw", READ),
        Grant("identity", ADD),
        Grant("methodology", ADD),
        Grant("audit", READ),
        Grant("audit", ADD, only=("attempts", "gate_runs", "expectation_results")),
        Grant("publish", READ),
        Grant("publish", ADD, only=("candidates", "candidate_files")),
        Grant("serve", READ),
        Grant("privacy", READ, only=("withheld_cells",)),
        Grant("privacy", ADD, only=("pseudonyms",)),
    ),
    functions=("sees_confidential",),
    sequences=("publish.candidates_candidate_number_seq",),
    may_log_in=False,
    makes_schemas=True,
)
PUBLISHER = Role(
    "publisher",
    "Publishes what others built, gated and approved: adds releases and moves the pointer.",
    (
        Grant("publish", READ),
        Grant("publish", ADD, only=_OF_RELEASES),
        Grant("publish", frozenset({"UPDATE"}), only=("current",)),
        Grant("audit", READ),
        Grant("audit", ADD, only=("attempts",)),
        Grant("methodology", READ),
        Grant("raw", READ, only=("batches",)),
        Grant("serve", READ),
        Grant("privacy", ADD, only=("withheld_cells",)),
    ),
    functions=("sees_confidential",),
    may_log_in=False,
)
BI_READER = Role("bi_reader", "BI tools: the published views.", (_PUBLIC,), ("sees_confidential",), reads_only=True)
EVALUATOR = Role(
    "evaluator",
    "Evaluators: the published views, verdicts, the framework, and what is withheld from the public.",
    (_PUBLIC, Grant("audit", READ), Grant("methodology", READ), Grant("privacy", READ, only=("withheld_cells",))),
    functions=("sees_confidential", "ask_records", "read_records"),
    member_of=("confidential",),
)
PARK_OFFICER = Role(
    "park_officer",
    "Officers of one park, by membership: the published views, and their own park's withheld cells and records.",
    (_PUBLIC, Grant("privacy", READ, only=("withheld_cells",))),
    functions=("sees_confidential", "ask_records", "read_records", "own_park"),
    may_log_in=False,
)
AUDITOR = Role(
    "auditor",
    "Auditors: the ledger, who read what, what was erased; no row of a feed, no withheld cell.",
    (
        _PUBLIC,
        Grant("raw", READ, only=("batches", "reject_events", "withdrawn_rows", "batch_figures")),
        Grant("audit", READ),
        Grant("methodology", READ),
        Grant("publish", READ),
        Grant("privacy", READ, only=("access_log", "erasures", "park_officers")),
    ),
    functions=("sees_confidential",),
    reads_only=True,
)
# Members come after what they are members of.
ROLES = (CONFIDENTIAL, LOADER, BUILDER, PUBLISHER, BI_READER, EVALUATOR, PARK_OFFICER, AUDITOR)
BY_NAME = {role.name: role for role in ROLES}
LOGINS = tuple(role.name for role in ROLES if role.may_log_in)
