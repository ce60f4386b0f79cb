"""Corrupt a good candidate in many seeded ways: each one stops at the gate, or is listed here as beyond it, and why.

As a command: ``python tests/faults/mutate_gate.py`` does all of them and ends with an error when the gate let one pass.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
if str(FOLDER.parent) not in sys.path:
    sys.path.insert(0, str(FOLDER.parent))

import yaml  # noqa: E402
from sqlalchemy import Engine, text  # noqa: E402

import gate_fixture  # noqa: E402
from parkindex import gate, pipeline  # noqa: E402
from parkindex.runtime.postgres import Cluster  # noqa: E402
from parkindex.settings import EXPECTATIONS_DIR, Settings  # noqa: E402

SEED = 2025
_PREFIX = "cand_1__"
_STAGES = {"i": ("park_index", "edition"), "m": ("marts",), "s": ("staging",)}
# Indicators of the good candidate that are computed, and add nothing to a target of the zone.
_CODES = ("A1", "A2", "A4", "A9", "B1", "B2", "C3", "C4", "C7", "D4", "D7")


@dataclass(frozen=True)
class Mutation:
    """One way to corrupt a candidate.

    Attributes:
        name: What is corrupted.
        layer: i: the index and its ranking, m: marts, s: staging.
        sql: Statement with ``{t}`` for the layer's schema and ``{park}``, ``{other}``, ``{code}``, ``{area}``,
            ``{times}`` for what the seed picks.
        beyond: Why the gate cannot know; None: it has to stop.
    """

    name: str
    layer: str
    sql: str
    beyond: str | None = None


def _set(table: str, column: str, expression: str, where: str) -> str:
    return f"update {{t}}.{table} set {column} = {expression} where {where}"


_CELL = "park_code = '{park}' and indicator_code = '{code}'"
_PARK = "park_code = '{park}'"
_AREA = "park_code = '{park}' and area_code = '{area}'"


def _cells() -> Iterator[Mutation]:
    """Every figure of a cell, an area and a park, in the ways in which figures go wrong."""
    for column in ("value", "numerator", "denominator", "score", "weight", "contribution"):
        yield Mutation(f"NaN as {column}", "i", _set("indicator_scores", column, "'NaN'", _CELL))
        # B1's denominator is added up from records; what is said of constants stands below.
        cell = _CELL.replace("{code}", "B1") if column == "denominator" else _CELL
        yield Mutation(f"no {column}", "i", _set("indicator_scores", column, "null", cell))
    for column in ("value", "score", "weight", "contribution"):
        yield Mutation(
            f"{column} a little greater", "i", _set("indicator_scores", column, f"{column} * {{times}}", _CELL)
        )
    for column in ("score", "weight", "weight_share"):
        yield Mutation(
            f"area's {column} a little greater", "i", _set("area_scores", column, f"{column} * {{times}}", _AREA)
        )
    yield Mutation("value of another sign", "i", _set("indicator_scores", "value", "-value - 1", _CELL))
    yield Mutation("value in 万 instead of one", "i", _set("indicator_scores", "value", "value / 10000", _CELL))
    yield Mutation("rank by an indicator", "i", _set("indicator_scores", "rank", "rank % 22 + 1", _CELL))
    yield Mutation("rank by an area", "i", _set("area_scores", "rank", "rank % 22 + 1", _AREA))
    yield Mutation("lower bound", "i", _set("indicator_scores", "bound_low", "bound_low - 1", _CELL))
    yield Mutation("total a little greater", "i", _set("park_ranking", "score", "score * {times}", _PARK))
    yield Mutation("rank of a park", "i", _set("park_ranking", "rank", "rank % 22 + 1", _PARK))
    yield Mutation("tier of a park", "i", _set("park_ranking", "tier", "tier % 3 + 1", _PARK))
    yield Mutation("no tier", "i", _set("park_ranking", "tier", "null", _PARK))
    yield Mutation("status of a park", "i", _set("park_ranking", "status", "'delisted'", _PARK))
    yield Mutation("strikes of a park", "i", _set("park_status", "strikes", "2", _PARK))
    yield Mutation("rank interval upside down", "i", _set("park_ranking", "rank_low", "rank_high + 1", _PARK))
    yield Mutation("no rank interval", "i", _set("park_ranking", "rank_low", "null", _PARK))
    yield Mutation("rank change", "i", _set("park_ranking", "rank_change", "rank_change + 1", _PARK))
    yield Mutation("another edition's row", "i", _set("park_ranking", "edition", "edition - 1", _PARK))


MUTATIONS: tuple[Mutation, ...] = (
    *_cells(),
    # Weights and the framework.
    Mutation("weight of the framework", "i", _set("indicators", "weight", "weight + 1", "indicator_code = '{code}'")),
    Mutation("direction", "i", _set("indicators", "direction", "-direction", "indicator_code = '{code}'")),
    Mutation("bound", "i", _set("indicators", "bound_high", "bound_high * 2", "indicator_code = '{code}'")),
    Mutation("indicator left out", "i", "delete from {t}.indicators where indicator_code = '{code}'"),
    Mutation("indicator twice", "i",
             "insert into {t}.indicators select * from {t}.indicators where indicator_code = '{code}'"),
    Mutation("swapped weights", "i",
             "update {t}.indicators set weight = 12 - weight where indicator_code in ('A1', 'A2')"),
    # Swapped columns, and two parks' figures for each other's.
    Mutation("numerator and denominator swapped", "i",
             "update {t}.indicator_scores set numerator = denominator, denominator = numerator where " + _CELL),
    Mutation("score and value swapped", "i",
             "update {t}.indicator_scores set score = value, value = score where " + _CELL),
    Mutation("bounds swapped", "i",
             "update {t}.indicator_scores set bound_low = bound_high, bound_high = bound_low where " + _CELL),
    Mutation("two parks' scores swapped", "i",
             "update {t}.indicator_scores set park_code = case park_code when '{park}' then '{other}' else '{park}' end"
             " where park_code in ('{park}', '{other}') and indicator_code = '{code}'"),
    Mutation("two parks swapped in the ranking", "i",
             "update {t}.park_ranking set park_code = case park_code when '{park}' then '{other}' else '{park}' end"
             " where park_code in ('{park}', '{other}')"),
    # Parks, names, encodings.
    Mutation("park lost from the ranking", "i", "delete from {t}.park_ranking where " + _PARK),
    Mutation("park twice in the ranking", "i",
             "insert into {t}.park_ranking select * from {t}.park_ranking where " + _PARK),
    Mutation("park lost from the status", "i", "delete from {t}.park_status where " + _PARK),
    Mutation("unknown park", "i", _set("indicator_scores", "park_code", "'P99'", _CELL)),
    Mutation("park's name read in another encoding", "i",
             _set("park_ranking", "park_name_zh", "convert_from(convert_to(park_name_zh, 'UTF8'), 'LATIN1')", _PARK)),
    Mutation("two names for one park", "i", _set("parks", "name_zh", "name_zh || ' '", _PARK)),
    Mutation("park left out of the register", "i", "delete from {t}.parks where " + _PARK),
    Mutation("park twice in the register", "i", "insert into {t}.parks select * from {t}.parks where " + _PARK),
    Mutation("indicator's name read in another encoding", "i",
             _set("indicators", "name_zh", "convert_from(convert_to(name_zh, 'UTF8'), 'LATIN1')",
                  "indicator_code = '{code}'")),
    Mutation("area's name of another area", "i", _set("area_scores", "area_name_zh", "'其他'", _AREA)),
    # Records behind the values.
    Mutation("record lost", "i", "delete from {t}.contributions where side = 'numerator' and " + _CELL),
    Mutation("record twice", "i", "insert into {t}.contributions select * from {t}.contributions where " + _CELL),
    Mutation("record of another amount", "i", _set("contributions", "amount", "amount + 1", _CELL)),
    Mutation("record of another park", "i", _set("contributions", "park_code", "'{other}'", _CELL)),
    Mutation("reason beside a value", "i", _set("indicator_scores", "reason", "'nothing delivered'", _CELL)),
    Mutation("unknown word for a state", "i", _set("indicator_scores", "obs_status", "'fine'", _CELL)),
    # Empty tables.
    *(Mutation(f"{table} empty", "i", f"delete from {{t}}.{table}") for table in
      ("indicator_scores", "area_scores", "park_ranking", "park_status", "indicators", "parks", "contributions")),
    *(Mutation(f"mart {table} empty", "m", f"delete from {{t}}.{table}")
      for table in ("parks", "enterprises", "patents")),
    Mutation("staged plots empty", "s", "delete from {t}.stg_park_plots__plots"),
    # Duplicated firms, dates, numbers of the marts.
    *(Mutation(f"{table} twice", "m", f"insert into {{t}}.{table} select * from {{t}}.{table}") for table in
      ("enterprises", "enterprise_accounts", "headcounts", "patents", "park_plots", "park_years")),
    Mutation("stay of an enterprise in two parks", "m",
             "insert into {t}.park_enterprises select enterprise_id_uscc, '{park}', valid_from + 1, valid_to"
             " from {t}.park_enterprises"),
    Mutation("stay that ends before it begins", "m", "update {t}.park_enterprises set valid_to = valid_from - 1"),
    Mutation("enterprise that ends before it begins", "m",
             "update {t}.enterprises set ended_date = registered_date - 1"),
    Mutation("enterprise without its number", "m", "update {t}.enterprises set enterprise_id_uscc = null"),
    Mutation("revenue NaN", "m", "update {t}.enterprise_accounts set revenue_cny = 'NaN'"),
    Mutation("headcount negative", "m", "update {t}.headcounts set insured_count = -1"),
    Mutation("more built-up than area", "m", "update {t}.park_plots set built_up_km2 = area_km2 * {times} + area_km2"),
    Mutation("fact after its delivery", "s",
             "update {t}.stg_enterprise_accounts__accounts set reported_date = '2030-01-01'"),
    Mutation("patent after its delivery", "s",
             "update {t}.stg_patents__publications set publication_date = '2026-01-07'"),
    Mutation("staged recognition twice", "s",
             "insert into {t}.stg_recognitions__recognitions select * from {t}.stg_recognitions__recognitions"),
    # Whole and consistent, and wrong: only the world knows.
    Mutation("revenue of one enterprise doubled in the mart alone", "m",
             "update {t}.enterprise_accounts set revenue_cny = revenue_cny * 2",
             "a number can be true; marts are built again from landed files by `parkindex rebuild`, and the"
             " contributions to a value are held against the value, not against the mart"),
    Mutation("no denominator where the formula divides by a constant", "i",
             _set("indicator_scores", "denominator", "null", _CELL.replace("{code}", "A2")),
             "no value or score rests on what is printed for the constant; the hash that is approved covers it"),
    Mutation("day a year early", "m", "update {t}.enterprises set registered_date = registered_date - 365",
             "a date in its range can be true; the contract's rules and corrections are for the provider's errors"),
    Mutation("great change against the year before", "i",
             _set("indicator_values_evaluated", "value", "value / 10", "edition = 2024 and " + _CELL),
             "only told (edition.no_sudden_value): a great change can be true, and approvers see it"),
)  # fmt: skip


def made(mutation: Mutation, seed: int) -> str:
    """Return the statement of a mutation on the good candidate's schemas, with what the seed picks."""
    pick = random.Random(f"{seed} {mutation.name}")  # noqa: S311
    park, other = pick.sample([f"P{number:02}" for number in range(1, 23)], 2)
    schema = {"i": "park_index", "m": "marts", "s": "staging"}[mutation.layer]
    return mutation.sql.format(
        t=f'"{_PREFIX}{schema}"',
        park=park,
        other=other,
        code=pick.choice(_CODES),
        area=pick.choice("ABC"),
        times=1 + pick.choice((1, 10, 100)) / 100000,
    )


def stopped_by(engine: Engine, subject: gate.CandidateSubject, mutation: Mutation, seed: int = SEED) -> list[str]:
    """Corrupt a copy of the candidate's schemas and return the expectations that stop it."""
    prefix = "cand_900__"
    renamed: Callable[[str], str] = lambda words: words.replace(_PREFIX, prefix)  # noqa: E731
    with engine.begin() as connection:
        relations = connection.execute(
            text("select schemaname, tablename from pg_tables where schemaname like 'cand_1\\_\\_%' order by 1, 2")
        ).all()
        for schema in sorted({schema for schema, _ in relations}):
            connection.execute(text(f'drop schema if exists "{renamed(schema)}" cascade'))
            connection.execute(text(f'create schema "{renamed(schema)}"'))
        for schema, name in relations:
            connection.execute(text(f'create table "{renamed(schema)}".{name} as table "{schema}".{name}'))
        changed = connection.exec_driver_sql(renamed(made(mutation, seed)).replace("%", "%%")).rowcount
    assert changed, f"{mutation.name}: nothing was corrupted"
    evaluation = gate.evaluate(engine, replace(subject, schema_prefix=prefix), stages=_STAGES[mutation.layer])
    failed = [one.id for one in evaluation.expectations if not one.success and one.severity == "error"]
    assert bool(failed) == (evaluation.verdict == "fail")
    return failed


def stopped_without(engine: Engine, subject: gate.CandidateSubject, stage: str, lost: str, folder: Path) -> list[str]:
    """Drop one expectation from a copy of the suites and return what stops the good candidate then."""
    shutil.copytree(EXPECTATIONS_DIR, folder)
    path = folder / f"{stage}.yaml"
    suite = yaml.safe_load(path.read_text("utf-8"))
    suite["expectations"] = [one for one in suite["expectations"] if one["id"] != lost]
    path.write_text(yaml.safe_dump(suite, allow_unicode=True), "utf-8")
    evaluation = gate.evaluate(engine, subject, folder, stages=(stage,))
    return [one.id for one in evaluation.expectations if not one.success and one.severity == "error"]


def wrongly_judged(engine: Engine, subject: gate.CandidateSubject, mutations: Sequence[Mutation]) -> list[str]:
    """Return the mutations that the gate let pass though it should not, or stopped though they are listed as beyond."""
    return [
        mutation.name
        for mutation in mutations
        if bool(stopped_by(engine, subject, mutation)) != (mutation.beyond is None)
    ]


def main() -> int:
    """Do every mutation; exit code 1 when one was judged wrongly."""
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        cluster = Cluster(Path(name) / "postgres", durable=False)
        cluster.start()
        try:
            cluster.ensure_database("gate_mutations")
            settings = Settings(
                home=Path(name), inbox=Path(name) / "inbox", own_warehouse_url=cluster.url("gate_mutations")
            )
            pipeline.prepare(settings)
            engine = pipeline.engine_of(settings)
            subject = gate_fixture.make(engine)
            wrong = wrongly_judged(engine, subject, MUTATIONS)
            register = yaml.safe_load((EXPECTATIONS_DIR / "register.yaml").read_text("utf-8"))
            dropped = [(stage, register[stage][0]) for stage in ("staging", "marts", "park_index", "edition")]
            for stage, lost in dropped:
                if stopped_without(engine, subject, stage, lost, Path(name) / stage) != ["gate.suites_are_registered"]:
                    wrong.append(f"{lost} dropped")
            engine.dispose()
        finally:
            cluster.stop()
    beyond = sum(mutation.beyond is not None for mutation in MUTATIONS)
    for name in wrong:
        print("judged wrongly:", name, file=sys.stderr)  # noqa: T201
    count = len(MUTATIONS) + len(dropped)
    print(f"{count} corruptions (seed {SEED}): {count - beyond - len(wrong)} stopped, {beyond} listed as beyond")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
