"""The steps of the year, as one function each: what Airflow's tasks and the command line both call.

Every function takes plain values and returns a plain dictionary, so that a task's result can be kept as it is. Each
opens the warehouse of the settings, does one step, and raises a :class:`parkindex.errors.ParkindexError` when it
cannot. Imports stand inside the functions: a DAG file that names a step must not load the whole warehouse.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from parkindex import settings as settings_module
from parkindex.errors import BadInputError, GateFailedError, NotApprovedError, ServiceDownError
from parkindex.settings import BUSINESS_TIME_ZONE, DEFAULT_EDITION, Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from parkindex.gate import Verdict
    from parkindex.publish.candidates import Candidate
    from parkindex.raw.load import Batch

__all__ = ["BUSINESS_TIME_ZONE", "DEFAULT_EDITION"]  # for the DAGs, which import nothing of ours but this module

MARTS_PREFIX = "next__"
# Most files of one run that are landed by a task of their own; more are dealt out in as many groups.
LANDING_TASKS = 16
# A run of an ingest DAG that is not done by then is told of (assumed: the marts are built from 03:30 on).
INGEST_DEADLINE = timedelta(hours=1)
# What a later attempt may find gone; every other failure is the same the next time.
WORTH_RETRYING = (
    "parkindex.errors.ServiceDownError",
    "sqlalchemy.exc.OperationalError",
    "httpx.TransportError",
    "builtins.ConnectionError",
    "builtins.TimeoutError",
)
# Params of an ingest DAG, as arguments of Airflow's Param.
_DAY = {"default": None, "type": ["null", "string"], "format": "date", "section": "Backfill 补数"}
INGEST_PARAMS: dict[str, dict[str, Any]] = {
    "received_from": {
        **_DAY,
        "title": "First day 起始日",
        "description": "Only files that came on this day (Shanghai) or later. 仅限该日(含)之后收到的文件。",
    },
    "received_until": {
        **_DAY,
        "title": "Last day 截止日",
        "description": "Only files that came on this day (Shanghai) or before. 仅限该日(含)之前收到的文件。",
    },
    "tasks": {
        "default": LANDING_TASKS,
        "type": "integer",
        "minimum": 1,
        "maximum": 64,
        "title": "Tasks 任务数",
        "description": "Each file is landed by a task of its own, up to so many tasks; more files are dealt out in as "
        "many groups. 每个文件一个任务;文件更多时分组。",
    },
}
APPROVE, REJECT = "Approve", "Reject"
# Whom the publishing DAG asks: role → its title. What the gate must not pass alone is signed by a third.
APPROVING_ROLES = {"methodologist": "方法专家", "signatory": "签发人"}
SIGNING_ROLE = "evaluator"


@cache
def _engine(url: str, acting_as: str | None = None) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    arguments = {"application_name": "parkindex"}
    if acting_as is not None:
        arguments["options"] = f"-c role={acting_as}"
    # Airflow forks its task processes: no connection may be shared with one.
    return create_engine(url, poolclass=NullPool, connect_args=arguments)


def engine_of(settings: Settings) -> Engine:
    """Return the engine of the warehouse, as its owner or as the role the settings act as."""
    return _engine(settings.warehouse_url, settings.acting_as)


def acting(settings: Settings, role_name: str) -> Settings:
    """Return the settings for one job, with no more rights in the warehouse than the job needs.

    A login of the role's own is used where one is configured (``PARKINDEX_<ROLE>_URL``); else the owner logs in and
    acts as the role. Where the roles could not be made (an administrator's server) the owner does the job.

    Args:
        settings: The installation.
        role_name: loader, builder or publisher.
    """
    from parkindex.ledger import matrix, roles

    url = settings.role_urls.get(role_name)
    if url is not None:
        return replace(settings, own_warehouse_url=url)
    role = matrix.BY_NAME[role_name]
    with engine_of(settings).connect() as connection:
        acts = roles.may_enter(connection, role)
    return replace(settings, acting_as=role.login) if acts else settings


def _open(role_name: str | None = None) -> tuple[Settings, Engine]:
    settings = settings_module.load()
    if role_name is not None:
        settings = acting(settings, role_name)
    return settings, engine_of(settings)


def is_synthetic(settings: Settings) -> bool:
    """Whether the inbox of this installation was filled by the sample world."""
    return (settings.home / "sample" / "SYNTHETIC.txt").exists()


# -------------------------------------------------------------------------------------------------------- the warehouse


def prepare(settings: Settings) -> dict[str, Any]:
    """Bring the warehouse to the version of the code: ledger, guards, views, reading roles, empty raw tables.

    Returns:
        ``{"warnings": [...]}``: what an administrator has to do because this owner may not (reading roles).
    """
    from parkindex.ledger import migrate, roles
    from parkindex.privacy import objects
    from parkindex.publish import guards, serve
    from parkindex.raw import load

    engine = engine_of(settings)
    migrate.upgrade(engine)
    load.create_tables(engine)
    with engine.begin() as connection:
        for statement in (*objects.statements(), *guards.statements(), *serve.statements()):
            connection.exec_driver_sql(statement)
    warnings = []
    try:
        roles.ensure(engine, settings.run / "readers.json")
    except ServiceDownError as error:
        warnings.append(str(error))
    return {"warnings": warnings}


# ----------------------------------------------------------------------------------------------------------- ingestion


def fetch(feed: str, url: str | None = None, token: str | None = None) -> dict[str, Any]:
    """Fetch a feed from its HTTP source into the inbox; the answer's pages are kept as received.

    Args:
        feed: The feed.
        url: Address of the source; default: the environment's, else the contract's.
        token: Bearer token that the source asks for; default: the environment's.

    Returns:
        ``{"feed", "file"}``; the same answer gives the same file.

    Raises:
        BadInputError: The feed has no HTTP source, or its answer does not reconcile.
        ServiceDownError: The source does not answer.
    """
    from parkindex import contracts
    from parkindex.landing.fetch import fetch as fetch_pages

    settings, _ = _open()
    contract = contracts.load(feed)
    url = url or settings.source_url(feed) or contract.source_url
    if not url:
        raise BadInputError(
            f"The feed {feed} has no HTTP source.",
            where=f"contracts/{feed}.odcs.yaml",
            why="no server of type api in the contract and no address configured",
            next_step=f"set PARKINDEX_SOURCE_{feed.upper()}=URL, or land files: parkindex land {feed} PATH",
        )
    path = fetch_pages(contract, url, settings.inbox / feed, token=token or settings.source_tokens.get(feed))
    return {"feed": feed, "file": str(path)}


def files_to_land(
    feed: str, since: str | None = None, until: str | None = None, tasks: int = LANDING_TASKS
) -> list[list[str]]:
    """Return the files of a feed's inbox that are not loaded yet, one by one, or in groups when they are very many.

    Args:
        feed: The feed.
        since: First day (ISO, in Shanghai) on which a file may have come; blank or None means no limit.
        until: Last such day.
        tasks: Most groups there may be.

    Returns:
        Names, oldest first; every group is landed by a task of its own.

    Raises:
        BadInputError: A day is none.
    """
    from parkindex.raw import inbox

    settings, engine = _open("loader")
    found = [path.name for path in inbox.not_landed(engine, settings, feed, _day(since), _day(until))]
    count = min(len(found), tasks)
    return [found[len(found) * place // count : len(found) * (place + 1) // count] for place in range(count)]


def span_of_run(
    params: Mapping[str, Any], run_type: str, interval: tuple[datetime | None, datetime | None]
) -> dict[str, Any]:
    """Return which files a run of an ingest DAG is to land: ``{"since", "until", "tasks"}`` of :func:`files_to_land`.

    Args:
        params: Params of the run: ``received_from``, ``received_until``, ``tasks``.
        run_type: Of a backfill, the run's own interval stands in for days that the params do not name.
        interval: The run's data interval.
    """
    span = {"since": params["received_from"], "until": params["received_until"], "tasks": params["tasks"]}
    begin, end = interval
    if run_type == "backfill" and begin is not None and end is not None and not (span["since"] or span["until"]):
        zone = ZoneInfo(BUSINESS_TIME_ZONE)
        # The night of the last day is the one that starts the run: its files belong to the next.
        days = (begin.astimezone(zone).date(), end.astimezone(zone).date() - timedelta(days=1))
        span |= {"since": days[0].isoformat(), "until": days[1].isoformat()}
    return span


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise BadInputError(f"{value!r} is no day.", why=str(error), next_step="write it as 2025-12-31") from error


def land_files(feed: str, files: list[str]) -> dict[str, Any]:
    """Land and load files of a feed's inbox, each by itself.

    Raises:
        BadInputError: A file was refused; the others are loaded.
    """
    from parkindex.raw import inbox

    settings, engine = _open("loader")
    batches = inbox.land(engine, settings, feed, files)
    refuse_refused(feed, batches)
    return {
        "feed": feed,
        "files": [batch.file for batch in batches],
        "loaded": sum(batch.status == "loaded" for batch in batches),
        "already_landed": sum(batch.status == "already_landed" for batch in batches),
        **{
            count: sum(getattr(batch, count) for batch in batches if batch.status == "loaded")
            for count in ("rows_landed", "rows_accepted", "rows_rejected", "rows_duplicate")
        },
    }


def dropped_files() -> list[dict[str, Any]]:
    """Return the feeds in whose inbox files wait that nothing has been done with, and that are at rest.

    Returns:
        ``{"feed", "files", "drop"}`` per feed; ``drop`` is the same for the same files and times, and different for
        others.
    """
    from parkindex import contracts
    from parkindex.raw import inbox

    settings, engine = _open("loader")
    at_rest = timedelta(seconds=settings.watch_seconds)
    found = []
    for feed in contracts.load_all():
        files = inbox.waiting(engine, settings, feed, at_rest)
        if files:
            told = [f"{path.name}/{path.stat().st_size}/{path.stat().st_mtime_ns}" for path in files]
            drop = hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]
            found.append({"feed": feed, "files": [path.name for path in files], "drop": drop})
    return found


def refuse_refused(feed: str, batches: list[Batch]) -> None:
    """Raise when a file was refused as a whole, naming each and its reason."""
    refused = [batch for batch in batches if batch.status == "refused"]
    if refused:
        raise BadInputError(
            f"{len(refused)} of {len(batches)} file(s) of {feed} were refused; the others are loaded.",
            where=", ".join(batch.file for batch in refused),
            why="; ".join(str(batch.reason) for batch in refused),
            next_step=f"correct the file or the contract and land it again: parkindex land {feed} PATH",
        )


def feed_plans() -> list[dict[str, Any]]:
    """Return what a scheduler needs to know of every feed, from the contracts alone.

    Returns:
        Per feed ``feed``, ``owner``, ``has_source``, ``cron`` and ``days`` (when its inbox is looked into, and the days
        between), and ``dag``: id, texts and tags of its DAG.
    """
    from parkindex import contracts
    from parkindex.contracts import describe

    return [
        {
            "feed": feed,
            "owner": contract.owner,
            "has_source": contract.source_url is not None,
            # Every night if it is due monthly, else on Mondays; one feed after the other.
            "cron": f"{place * 3 % 60} {2 + place * 3 // 60} * * {'*' if contract.frequency_months <= 1 else '1'}",
            "days": 1 if contract.frequency_months <= 1 else 7,
            "dag": {
                "dag_id": f"ingest_{feed}",
                "dag_display_name": f"接收 {contract.name_zh}",
                "description": contract.name,
                "doc_md": describe.markdown(contract),
                "tags": ["ingest", contract.document["domain"]],
            },
        }
        for place, (feed, contract) in enumerate(contracts.load_all().items())
    ]


def watch_starts_paused() -> bool:
    """Whether the watch over the inbox begins paused."""
    return settings_module.load().watch_starts_paused


def watch_seconds() -> int:
    """Seconds between two looks into the inbox."""
    return settings_module.load().watch_seconds


# ------------------------------------------------------------------------------------------------- the continuous marts


def _current_methodology(engine: Engine, edition: int = DEFAULT_EDITION) -> str:
    from parkindex import methodology

    return methodology.store(engine, methodology.load(edition))


def stage_marts() -> dict[str, Any]:
    """Build the staging models of the next generation of marts, as known now.

    Returns:
        The frozen inputs of this generation: ``as_known``, ``inputs_sha256``, ``methodology_sha256``.
    """
    from parkindex.publish import code
    from parkindex.transform import warehouse

    settings, engine = _open("builder")
    with engine.connect() as connection:
        as_known = code.newest_delivery(connection)
        inputs = code.inputs_sha256(connection, as_known)
    methodology_sha256 = _current_methodology(engine)
    warehouse.stage(engine, settings, MARTS_PREFIX, as_known, methodology_sha256, keep=True)
    return {
        "as_known": as_known.isoformat(),
        "inputs_sha256": inputs,
        "methodology_sha256": methodology_sha256,
    }


def resolve_identity(frozen: dict[str, Any]) -> dict[str, Any]:
    """Resolve names to enterprises and places to parks for the generation that was staged."""
    from parkindex.identity import resolve

    _, engine = _open("builder")
    run = resolve.run(engine, MARTS_PREFIX, datetime.fromisoformat(frozen["as_known"]), frozen["inputs_sha256"])
    return {**frozen, "identity_run_id": run}


def build_marts(resolved: dict[str, Any]) -> dict[str, Any]:
    """Build intermediate models and marts of the next generation."""
    from parkindex.transform import warehouse

    settings, engine = _open("builder")
    warehouse.relate(
        engine,
        settings,
        MARTS_PREFIX,
        datetime.fromisoformat(resolved["as_known"]),
        resolved["methodology_sha256"],
        resolved["identity_run_id"],
    )
    return resolved


def gate_marts() -> dict[str, Any]:
    """Gate the next generation of marts.

    Raises:
        GateFailedError: An expectation of severity error failed; nothing that is served has changed.
    """
    return _passed(run_marts_gate(), "the next generation of marts", "parkindex gate --marts")


def run_marts_gate() -> Verdict:
    """Gate the next generation of marts and return the verdict, whatever it is.

    Raises:
        BadInputError: No next generation was built.
    """
    from sqlalchemy import inspect

    from parkindex import gate
    from parkindex.transform import generations

    settings, engine = _open("builder")
    with engine.connect() as connection:
        is_old = generations.is_served_before(connection, MARTS_PREFIX)
    if is_old or f"{MARTS_PREFIX}marts" not in inspect(engine).get_schema_names():
        raise BadInputError(
            "There is no next generation of marts.",
            where=f"schema {MARTS_PREFIX}marts",
            why="none was built since the last one was promoted",
            next_step="run the DAG build_marts",
        )
    return gate.run(engine, settings, gate.MartsSubject(schema_prefix=MARTS_PREFIX))


def promote_marts() -> dict[str, Any]:
    """Make the gated generation of marts the served one, in one transaction.

    Returns:
        ``{"promoted", "already_promoted"}``; the second is True when an earlier try had done it.
    """
    from parkindex import transform

    settings, engine = _open()
    made_now = transform.promote(engine)
    prepare(settings)  # what the reading roles may see follows the new tables
    return {"promoted": MARTS_PREFIX, "already_promoted": not made_now}


def _passed(verdict: Verdict, subject: str, command: str) -> dict[str, Any]:
    failed = [result for result in verdict.expectations if not result.success]
    errors = [result for result in failed if result.stops]
    summary = {
        "verdict": verdict.verdict,
        "gate_run_id": verdict.gate_run_id,
        "expectations": len(verdict.expectations),
        "warnings": [f"{result.id}: {result.observed}" for result in failed if result.severity == "warning"],
    }
    if verdict.verdict != "pass":
        raise GateFailedError(
            f"The gate refused {subject}.",
            where=f"audit.gate_runs {verdict.gate_run_id}",
            why="; ".join(f"{result.id}: {result.observed}" for result in errors),
            next_step="parkindex waivers CANDIDATE tells what a named person may sign"
            if all(result.may_be_waived for result in errors)
            else f"look at audit.expectation_results, correct the cause, build again; to repeat: {command}",
        )
    return summary


# ------------------------------------------------------------------------------------------- candidate → gate → release


def build_candidate(edition: int, as_known: str | None = None, built_by: str = "airflow") -> dict[str, Any]:
    """Build a candidate of an edition, whole, and hash it.

    Args:
        edition: Evaluation year.
        as_known: ISO date or instant; rows received later do not count. Default: the newest delivery.
        built_by: Who builds it; that person cannot approve it.
    """
    from parkindex.publish import candidates

    settings, engine = _open("builder")
    candidate = candidates.build(engine, settings, edition, as_known=instant(as_known), built_by=built_by)
    return candidate_facts(candidate)


def candidate_facts(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as plain values."""
    return {
        "candidate_id": candidate.candidate_id,
        "edition": candidate.edition,
        "content_sha256": candidate.content_sha256,
        "as_known": candidate.as_known.isoformat(),
        "methodology_sha256": candidate.methodology_sha256,
        "code_sha256": candidate.code_sha256,
        "inputs_sha256": candidate.inputs_sha256,
        "built_by": candidate.built_by,
    }


def instant(value: str | None) -> datetime | None:
    """Read an ISO date (its end, Shanghai time) or instant.

    Raises:
        BadInputError: The text is neither.
    """
    from datetime import UTC, time

    if not value:
        return None
    zone = ZoneInfo(settings_module.BUSINESS_TIME_ZONE)
    try:
        read = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadInputError(
            f"{value!r} is neither a date nor an instant.",
            why=str(error),
            next_step="write it as 2025-12-31 or 2025-12-31T18:00:00+08:00",
        ) from error
    if len(value) == len("2025-12-31"):
        read = datetime.combine(read.date(), time.max)
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def gate_candidate(candidate_id: str) -> dict[str, Any]:
    """Gate a candidate.

    Raises:
        GateFailedError: An expectation of severity error failed.
    """
    verdict, candidate = run_gate(candidate_id)
    return {
        **_passed(verdict, f"candidate {candidate_id}", f"parkindex gate {candidate_id}"),
        **candidate_facts(candidate),
    }


def run_gate(candidate_id: str) -> tuple[Verdict, Candidate]:
    """Gate a candidate and return the verdict, whatever it is."""
    from parkindex import gate
    from parkindex.publish import candidates, waivers

    settings, engine = _open("builder")
    candidate = candidates.get(engine, candidate_id)
    return gate.run(engine, settings, waivers.subject_of(candidate)), candidate


def signing_needs(candidate_id: str) -> dict[str, Any]:
    """Return what a person has to sign before the gate can pass a candidate: ``{"subject", "markdown"}``, or nothing.

    Args:
        candidate_id: Candidate.
    """
    from parkindex.publish import brief, candidates, waivers

    _, engine = _open()
    needed = waivers.needs(engine, candidate_id)
    if not needed:
        return {}
    candidate = candidates.get(engine, candidate_id)
    count = sum(len(one.failing_keys) for one in needed)
    return {
        "subject": f"{candidate.edition} 年度排名:{candidate_id} · 待签字 {count} 项 to be signed",
        "markdown": brief.to_sign(candidate, needed),
    }


def record_waivers(candidate_id: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Record what a person signed on the form, bound to the failures as they are now.

    Args:
        candidate_id: Candidate.
        answer: Answer of the form: ``chosen_options``, ``responded_at``, ``params_input`` with ``approver`` and
            ``note``.

    Raises:
        NotApprovedError: The person did not sign, may not, or answered before the candidate was built.
    """
    from parkindex.publish import candidates

    _, engine = _open()
    refuse_replayed(candidates.get(engine, candidate_id), answer)
    name, note = (str(answer["params_input"].get(one) or "").strip() for one in ("approver", "note"))
    if answer["chosen_options"] != [APPROVE]:
        raise NotApprovedError(
            f"{name or 'Somebody'} did not sign what the gate found in candidate {candidate_id}.",
            where="publish.waivers",
            why=note or "no remark",
            next_step="correct what was objected to and build a new candidate",
        )
    return {"signed": len(sign_waivers(candidate_id, None, name, SIGNING_ROLE, note))}


def sign_waivers(
    candidate_id: str, expectation: str | None, name: str, role: str, reason: str, days: int | None = None
) -> list[dict[str, Any]]:
    """Sign failures of a candidate that may be waived; on synthetic data a new name becomes a demo approver."""
    from parkindex.publish import approvals, waivers

    settings, engine = _open()
    if is_synthetic(settings) and name.strip() and name not in approvals.registered(engine):
        approvals.register(engine, name, role, is_demo=True)
    return waivers.sign(engine, candidate_id, expectation, signed_by=name, role=role, reason=reason, days=days)


def refuse_replayed(candidate: Candidate, answer: dict[str, Any]) -> None:
    """Refuse an answer that was given before its candidate was built: it was about another one.

    Raises:
        NotApprovedError: It was.
    """
    from parkindex.ledger import attempts

    given = answer.get("responded_at")
    moment = datetime.fromisoformat(given) if isinstance(given, str) else given
    if moment is None or moment >= candidate.built_at:
        return
    error = NotApprovedError(
        f"The answer was given before candidate {candidate.candidate_id} was built.",
        where="the form in Airflow",
        why=f"answered {moment.isoformat()}, built {candidate.built_at.isoformat()}: it was about another candidate",
        next_step="clear the approval tasks too, so that people are asked again",
    )
    attempts.refused(_open()[1], "approve", candidate.candidate_id, error)
    raise error


def refuse_one_account(candidate: Candidate, answers: dict[str, dict[str, Any]]) -> None:
    """Refuse answers of two roles that were given from one account of Airflow: one person typed two names.

    On synthetic data one person may play all parts; their names are printed as demo approvers.

    Raises:
        NotApprovedError: They were.
    """
    from parkindex.ledger import attempts

    settings, engine = _open()
    roles_of: dict[str, list[str]] = {}
    for role, answer in answers.items():
        account = (answer.get("responded_by_user") or {}).get("id")
        if account is not None:
            roles_of.setdefault(str(account), []).append(role)
    shared = {account: roles for account, roles in roles_of.items() if len(roles) > 1}
    if not shared or is_synthetic(settings):
        return
    account, roles = next(iter(shared.items()))
    error = NotApprovedError(
        f"One account of Airflow answered for two people on candidate {candidate.candidate_id}.",
        where="the forms in Airflow",
        why=f"account {account} answered as {' and '.join(roles)}",
        next_step="start a new run, each answers from an account of their own; or decide with `parkindex approve`",
    )
    attempts.refused(engine, "approve", candidate.candidate_id, error)
    raise error


def record_approval(
    candidate_id: str, content_sha256: str | None, approver: str, role: str, decision: str, note: str = ""
) -> dict[str, Any]:
    """Record a decision on a candidate, bound to its hashes.

    On synthetic data a name that is not registered yet becomes a demo approver, printed as such on the release; on
    real data approvers are registered first.

    Args:
        candidate_id: Candidate.
        content_sha256: Hash of what the approver looked at; None takes the candidate's own.
        approver: Name.
        role: evaluator, methodologist or signatory.
        decision: approve or reject.
        note: Remark, kept with the decision.

    Raises:
        NotApprovedError: The registry, the hash or the independence of the approver forbids it.
    """
    from parkindex.publish import approvals, candidates

    settings, engine = _open()
    candidate = candidates.get(engine, candidate_id)
    if is_synthetic(settings) and approver not in approvals.registered(engine):
        approvals.register(engine, approver, role, is_demo=True)
    approvals.decide(engine, candidate_id, content_sha256 or candidate.content_sha256, approver, role, decision, note)
    return {
        "candidate_id": candidate_id,
        "content_sha256": candidate.content_sha256,
        "approver": approver,
        "role": role,
        "decision": decision,
    }


def refuse_rejected(decisions: list[dict[str, Any]]) -> None:
    """Raise when one of the decisions is a rejection."""
    for made in decisions:
        if made["decision"] != "approve":
            raise NotApprovedError(
                f"{made['approver']} ({made['role']}) rejected candidate {made['candidate_id']}.",
                where="publish.approvals",
                next_step="correct what was objected to and build a new candidate",
            )


def approval_brief(gated: dict[str, Any]) -> dict[str, str]:
    """Return what approvers of a gated candidate are shown: ``{"subject", "markdown"}``."""
    from parkindex.publish import brief

    _, engine = _open()
    edition, content = gated["edition"], gated["content_sha256"]
    return {
        "subject": f"{edition} 年度排名:{gated['candidate_id']} · {content[:12]}",
        "markdown": brief.markdown(engine, gated["candidate_id"], gated["warnings"]),
    }


def record_answers(gated: dict[str, Any], answers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Record what people answered, bound to the hash they were shown.

    Args:
        gated: Candidate, as :func:`gate_candidate` gave it.
        answers: Role → answer of the form: ``chosen_options``, ``params_input`` with ``approver`` and ``note``.

    Raises:
        NotApprovedError: Somebody rejected, may not decide, or answered before the candidate was built; or one account
            answered for two people.
    """
    from parkindex.publish import candidates

    candidate = candidates.get(_open()[1], gated["candidate_id"])
    for answer in answers.values():
        refuse_replayed(candidate, answer)
    refuse_one_account(candidate, answers)
    made = [
        record_approval(
            gated["candidate_id"],
            gated["content_sha256"],
            str(answer["params_input"].get("approver") or "").strip(),
            role,
            "approve" if answer["chosen_options"] == [APPROVE] else "reject",
            str(answer["params_input"].get("note") or ""),
        )
        for role, answer in answers.items()
    ]
    refuse_rejected(made)
    return {"candidate_id": gated["candidate_id"], "approvers": [one["approver"] for one in made]}


def publish_built(candidate_id: str | None, given_reason: str = "") -> dict[str, Any]:
    """Publish the candidate that a run built, if the warehouse says that it may be; a blank reason is none.

    Raises:
        NotApprovedError: The run built none: its task was set to success by hand.
    """
    from parkindex.ledger import attempts

    if candidate_id is None:
        error = NotApprovedError(
            "The run names no candidate.",
            where="task build",
            why="a task that is set to success by hand has built, gated and approved nothing",
            next_step="start a new run",
        )
        attempts.refused(_open()[1], "publish", "no candidate", error)
        raise error
    return publish(candidate_id, given_reason or None)


def publish(candidate_id: str, reason: str | None = None) -> dict[str, Any]:
    """Publish an approved candidate, or refuse; ``already_published`` when somebody else was first."""
    from parkindex.publish import releases

    settings, engine = _open("publisher")
    release, made_now = releases.publish_once(engine, settings, candidate_id, reason=reason)
    return {
        "release_id": release.release_id,
        "edition": release.edition,
        "content_sha256": release.content_sha256,
        "chain_sha256": release.chain_sha256,
        "already_published": not made_now,
    }


def write_bundle(release_id: str) -> dict[str, Any]:
    """Write, sign, read back and verify a release's bundle."""
    from parkindex.publish import bundle

    settings, engine = _open("publisher")
    folder = bundle.write(engine, settings, release_id)
    return {"release_id": release_id, "path": str(folder), "page": str(folder / "index.html")}


def hand_over_heads() -> dict[str, Any]:
    """Hand the heads of the chain that an anchor has not got yet to it.

    Returns:
        ``{"anchors": [{"anchor", "handed", "receipt", "error"}]}``.

    Raises:
        ServiceDownError: An anchor failed; the others have theirs, and what is published stays published.
    """
    outcomes = try_anchors()
    failed = [one for one in outcomes if one["error"]]
    if failed:
        raise ServiceDownError(
            f"{len(failed)} of {len(outcomes)} anchors did not take the head of the chain.",
            where=", ".join(one["anchor"] for one in failed),
            why="; ".join(one["error"] for one in failed),
            next_step="what is published stays published; correct the cause, then parkindex anchors hand",
        )
    return {"anchors": outcomes}


def try_anchors() -> list[dict[str, Any]]:
    """Hand heads to every anchor, and return what became of it, failures among them."""
    from parkindex.publish import anchors

    settings, engine = _open()
    return anchors.hand_over(engine, settings)


def up_to_date(settings: Settings, edition: int) -> str | None:
    """Return the current release of an edition when nothing that made it has changed since; else None.

    What is compared: deliveries in the inbox, inputs, methodology and code of the release, the bundle on disk.
    """
    from sqlalchemy import select

    from parkindex import contracts, methodology
    from parkindex.ledger import tables
    from parkindex.publish import code
    from parkindex.raw import inbox

    engine = engine_of(settings)
    with engine.connect() as connection:
        row = connection.execute(
            select(tables.releases)
            .join(tables.current, tables.current.c.release_id == tables.releases.c.release_id)
            .where(tables.current.c.edition == edition)
            .where(tables.releases.c.release_id.not_in(select(tables.withdrawals.c.release_id)))
        ).first()
        if row is None:
            return None
        inputs = code.inputs_sha256(connection, code.newest_delivery(connection))
    unchanged = (
        row.inputs_sha256 == inputs
        and row.code_sha256 == code.code_sha256()
        and row.methodology_sha256 == methodology.load(edition).sha256
        and (settings.releases / row.release_id / "manifest.json").exists()
        and not any(inbox.not_landed(engine, settings, feed) for feed in contracts.load_all())
    )
    return str(row.release_id) if unchanged else None


# ---------------------------------------------------------------------------------------------------------- maintenance


def verify() -> dict[str, Any]:
    """Check every release, the chain and the approvals, and gate what is served of the current releases.

    Raises:
        AlteredError: Something is not what was published; every finding is named.
        GateFailedError: What is served of a release is not what was published.
    """
    from parkindex import gate
    from parkindex.publish import releases
    from parkindex.publish import verify as verification

    settings, engine = _open()
    found = verification.require_unaltered(engine, settings)
    for release in releases.list_releases(engine):
        if release["is_current"]:
            subject = gate.ReleaseSubject(release["release_id"], release["edition"], release["content_sha256"])
            verdict = gate.run(engine, settings, subject)
            _passed(verdict, f"what is served of release {subject.release_id}", "parkindex verify")
    return found


def feeds_report(addresses: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return what came of every feed, what was set aside and what is late; tell people when one is late.

    Args:
        addresses: Where a notice goes; None means where the environment says.

    Returns:
        The rows of ``parkindex feeds``, times as ISO text.

    Raises:
        ServiceDownError: A notice did not go out everywhere.
    """
    from parkindex.raw import status

    settings, engine = _open()
    rows = status.feeds(engine, settings)
    late = [row for row in rows if (row["late_days"] or 0) > 0]
    if late:
        lines = [f"{row['feed']}: {row['late_days']} d, last {row['last_file']}, {row['owner']}" for row in late]
        notify(
            "late",
            f"{len(late)} feed(s) are late 数据逾期: {', '.join(row['feed'] for row in late)}",
            "\n".join([*lines, "next: ask the provider; parkindex feeds"]),
            {"feeds": {row["feed"]: row["late_days"] for row in late}},
            addresses,
        )
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def notify(
    kind: str, subject: str, text: str, facts: Mapping[str, Any] | None = None, addresses: Sequence[str] | None = None
) -> list[str]:
    """Tell people what needs them.

    Args:
        kind: failed, deadline or late.
        subject: One sentence.
        text: What happened, where, why, what to do next.
        facts: The same for programs.
        addresses: Where to (``parkindex.notices``); None means where the environment says.

    Returns:
        Scheme and host of every address it went to.

    Raises:
        ServiceDownError: It did not go out everywhere.
    """
    from parkindex import notices

    settings = settings_module.load()
    return notices.send(notices.Notice(kind, subject, text, facts or {}), addresses or settings.notify, settings.logs)


def clear_away() -> dict[str, Any]:
    """Drop candidates' schemas that no release and no pending decision needs, and what killed dbt runs left.

    Returns:
        ``{"dropped": [prefix], "removed": [folder]}``.
    """
    from parkindex.publish import candidates
    from parkindex.transform import leftovers

    settings, engine = _open()
    return {"dropped": candidates.gc(engine), "removed": [str(folder) for folder in leftovers.clear(settings)]}


def current_user() -> str:
    """Name of the person at the keyboard, for the ledger."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without an account, as in containers
        return f"uid-{os.getuid()}"


def release_folder(settings: Settings, release_id: str) -> Path:
    """Folder of a release's bundle."""
    return settings.releases / release_id
