"""Relations between enterprises, with dates: branches by their names, everything else by decisions.

A branch is registered by itself and names its company in its own name. That a company belongs to a group, was merged or
has a successor is in no feed: people record it (``parkindex matches relate``). No relation moves a number by itself: a
merged company's patents, revenue and people stay with the enterprise that the feeds name until a feed says otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from psycopg import sql
from sqlalchemy import Connection

from parkindex.identity import company_names
from parkindex.identity.decisions import Decision, told
from parkindex.identity.writing import copy_rows

# A name with a word of a branch in it; which of them names a company is decided on the text.
_BRANCHES = """
select enterprise_id_uscc, enterprise_name_key, min(effective_date)
from {staging}.stg_enterprise_registry__enterprises
where enterprise_name_key ~ {words}
group by enterprise_id_uscc, enterprise_name_key
order by enterprise_id_uscc collate "C", min(effective_date), enterprise_name_key collate "C"
"""
_HOLDERS = """
select distinct enterprise_name_key, enterprise_id_uscc
from {staging}.stg_enterprise_registry__enterprises
where enterprise_name_key = any({names})
order by enterprise_name_key, enterprise_id_uscc
"""
_COLUMNS = (
    "identity_run_id, enterprise_id_uscc, relation, other_enterprise_id_uscc, valid_from, valid_to, method, score,"
    " evidence"
)

Row = tuple[str, str, str, date, date | None, str, str]


def relate(connection: Connection, staging: str, run: int, decided: Iterable[Decision]) -> None:
    """Write every relation known to a run.

    Args:
        connection: In the run's transaction.
        staging: Schema of the staging models.
        run: Identity run to write.
        decided: Relations that people decided and that stand.
    """
    schema = sql.Identifier(staging)
    words = sql.Literal(f"({'|'.join(company_names.BRANCH_WORDS)})$")
    statement = sql.SQL(_BRANCHES).format(staging=schema, words=words).as_string(None)
    branches: list[tuple[str, str, date]] = [(row[0], row[1], row[2]) for row in connection.exec_driver_sql(statement)]
    parents = sorted({parent for _, name, _ in branches if (parent := company_names.parent_of_branch(name))})
    holders: dict[str, list[str]] = defaultdict(list)
    if parents:
        asked = sql.SQL(_HOLDERS).format(staging=schema, names=sql.Literal(parents)).as_string(None)
        for name, uscc in connection.exec_driver_sql(asked):
            holders[str(name)].append(str(uscc))
    found: dict[tuple[str, str, str, date], Row] = {}
    for row in (*branch_rows(branches, holders), *_decided_rows(decided)):
        found[row[0], row[1], row[2], row[3]] = row
    copy_rows(
        connection,
        f"copy identity.relations ({_COLUMNS}) from stdin",
        ((run, *row[:6], 1, row[6]) for _, row in sorted(found.items())),
    )


def branch_rows(branches: Iterable[tuple[str, str, date]], holders: Mapping[str, list[str]]) -> Iterator[Row]:
    """Yield a relation for every branch whose company is one registered enterprise.

    Args:
        branches: USCC, match key of the name and first day of every name that ends like a branch's.
        holders: Match key of a company's name → USCCs that have held it.
    """
    for uscc, name, since in branches:
        parent = company_names.parent_of_branch(name)
        held_by = [one for one in holders.get(parent or "", []) if one != uscc]
        if parent and len(held_by) == 1:
            evidence = f"its name begins with the registered name {parent}"
            yield (uscc, "branch_of", held_by[0], since, None, "branch_name", evidence)


def _decided_rows(decided: Iterable[Decision]) -> Iterator[Row]:
    for one in decided:
        if one.relation and one.valid_from:
            yield (one.subject, one.relation, one.target, one.valid_from, one.valid_to, "decision", told(one))
