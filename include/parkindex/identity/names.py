"""Names to enterprises: linked exactly, or queued for a person (ADR 0007)."""

from __future__ import annotations

import polars as pl
from psycopg import sql
from sqlalchemy import Connection

from parkindex.identity.writing import copy_rows
from parkindex.text import KEY_FUNCTIONS

# What stands between names in `applicant_names` (contract `patents`).
SEPARATOR = "；"

# Every name of a feed that says who by name only. A row with a USCC is linked by that alone. Of counterparties only
# those that a patent passes to are asked for: a bank that takes a pledge is nobody's enterprise.
_ASKED = """
select first_applicant_name_key as name_key from {staging}.stg_patents__publications
union
select name_key from identity.further_applicants where identity_run_id = {run}
union
select holder_name_key from {staging}.stg_patent_events__events where holder_uscc_key is null
union
select counterparty_name_key from {staging}.stg_patent_events__events where event_type = 'transfer'
union
select company_name_key from {staging}.stg_financing_rounds__rounds
union
select enterprise_name_key from {staging}.stg_recognitions__recognitions where enterprise_id_uscc is null
"""

_RESOLVED = """
create temporary table resolved_names on commit drop as
with
asked as ({asked}),
held as (
    select enterprise_name_key as name_key, enterprise_id_uscc
    from {staging}.stg_enterprise_registry__enterprises
    group by enterprise_name_key, enterprise_id_uscc
)
select
    asked.name_key,
    count(held.enterprise_id_uscc) as holders_count,
    min(held.enterprise_id_uscc collate "C") as enterprise_id_uscc,
    coalesce(
        jsonb_agg(held.enterprise_id_uscc order by held.enterprise_id_uscc collate "C")
            filter (where held.enterprise_id_uscc is not null),
        '[]'
    ) as holders
from asked
left join held on asked.name_key = held.name_key
where asked.name_key <> ''
group by asked.name_key
"""

_CO_APPLICANTS = """
select publication_number, kind, applicant_names
from {staging}.stg_patents__publications
where applicant_count > 1
order by publication_number collate "C", kind collate "C"
"""

_LINKS = """
insert into identity.enterprise_links (identity_run_id, name_key, enterprise_id_uscc, method, score, evidence)
select %(run)s, name_key, enterprise_id_uscc, 'exact_name', 1, 'equals a registered name of this enterprise alone'
from resolved_names
where holders_count = 1
order by name_key collate "C"
"""

_QUEUE = """
insert into identity.review_queue (identity_run_id, subject_kind, subject, reason, candidates)
select
    %(run)s, 'name', name_key,
    case when holders_count = 0 then 'unknown_name' else 'ambiguous_name' end,
    holders
from resolved_names
where holders_count <> 1
order by name_key collate "C"
"""


def resolve(connection: Connection, staging: str, run: int) -> None:
    """Link every name that the registry holds, or ever held, for exactly one enterprise; queue the others.

    It is one set operation over keys that landing computed, so it runs in the warehouse.

    Args:
        connection: In the run's transaction.
        staging: Schema of the staging models.
        run: Identity run to write.
    """
    schema = sql.Identifier(staging)
    _list_further_applicants(connection, schema, run)
    asked = sql.SQL(_ASKED).format(staging=schema, run=sql.Literal(run))
    connection.exec_driver_sql(sql.SQL(_RESOLVED).format(asked=asked, staging=schema).as_string(None))
    for statement in (_LINKS, _QUEUE):
        connection.exec_driver_sql(statement, {"run": run})


def _list_further_applicants(connection: Connection, staging: sql.Identifier, run: int) -> None:
    """Write the applicants after the first one by one, with the keys that names have everywhere."""
    read = connection.exec_driver_sql(sql.SQL(_CO_APPLICANTS).format(staging=staging).as_string(None)).all()
    rows = [
        {"publication_number": number, "kind": kind, "position": position, "name": name}
        for number, kind, names in (tuple(map(str, row)) for row in read)
        for position, name in enumerate(names.split(SEPARATOR), start=1)
        if position > 1
    ]
    if not rows:
        return
    keyed = pl.DataFrame(rows).with_columns(name_key=KEY_FUNCTIONS["name"](pl.col("name"))).drop("name")
    columns = ("publication_number", "kind", "position", "name_key")
    copy_rows(
        connection,
        f"copy identity.further_applicants (identity_run_id, {', '.join(columns)}) from stdin",
        ((run, *row) for row in keyed.select(columns).iter_rows()),
    )
