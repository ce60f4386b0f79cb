"""Great Expectations, in process: batches validated one by one on an ephemeral context.

The only module that imports Great Expectations; importing it takes seconds, so it is imported when a gate runs. This
version of it has no telemetry at all; no stores, sites or files are made.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from parkindex.gate import suites
from parkindex.gate.relations import Relation
from parkindex.gate.suites import Expectation
from parkindex.gate.verdict import Outcome

with warnings.catch_warnings():
    # It imports modules of the standard library that Python calls deprecated from 3.11 on.
    warnings.filterwarnings("ignore", message="module 'sre_", category=DeprecationWarning)
    import great_expectations
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.datasource.fluent.interfaces import GxDatasourceWarning
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.registry import get_expectation_impl

_SEVERITIES = {"error": FailureSeverity.CRITICAL, "warning": FailureSeverity.WARNING}


def validate(url: str, batches: Mapping[Relation, Sequence[tuple[Expectation, str | None]]]) -> dict[str, Outcome]:
    """Validate expectations, all of a relation at once.

    Args:
        url: SQLAlchemy URL of the warehouse, with its password.
        batches: Per relation that exists, its expectations, each with its rendered query if it has one.

    Returns:
        Outcomes by id of the expectation; an id that is missing was not evaluated.
    """
    context = great_expectations.get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    with warnings.catch_warnings():
        # It recommends its Postgres source, which refuses the addresses of unix sockets; this one takes every URL.
        warnings.simplefilter("ignore", GxDatasourceWarning)
        source = context.data_sources.add_sql("warehouse", connection_string=url, create_temp_table=False)
        outcomes: dict[str, Outcome] = {}
        try:
            for number, (relation, declared) in enumerate(batches.items()):
                outcomes |= _validate_batch(source, f"batch_{number}", relation, declared)
        finally:
            source.get_execution_engine().close()
            source.get_engine().dispose()
    return outcomes


def _validate_batch(
    source: Any, name: str, relation: Relation, declared: Sequence[tuple[Expectation, str | None]]
) -> dict[str, Outcome]:
    asset = source.add_query_asset(name, query=relation.sql)
    batch = asset.add_batch_definition(name).get_batch()
    suite = great_expectations.ExpectationSuite(
        name=name, expectations=[_compiled(expectation, query) for expectation, query in declared]
    )
    validated = batch.validate(suite, result_format="BASIC")
    return {
        result.expectation_config.meta["id"]: Outcome(
            bool(result.success), _unexpected(result.result), _error(result.exception_info)
        )
        for result in validated.results
    }


def _compiled(expectation: Expectation, query: str | None) -> Any:
    kind, arguments = expectation.type, dict(expectation.kwargs)
    if kind == suites.UNIQUE and len(expectation.columns) == 1:
        kind, arguments = "expect_column_values_to_be_unique", {"column": expectation.columns[0]}
    if query is not None:
        # Without a reference to its batch it prints a remark on stdout, which is where our JSON goes.
        arguments["unexpected_rows_query"] = "/* {batch} */ " + query.replace("{", "{{").replace("}", "}}")
    return get_expectation_impl(kind)(
        **arguments, severity=_SEVERITIES[expectation.severity], meta={"id": expectation.id}
    )


def _unexpected(result: Mapping[str, Any]) -> int | None:
    count = result.get("unexpected_count", result.get("observed_value"))
    return None if count is None else int(count)


def _error(info: Mapping[str, Any] | None) -> str | None:
    """Return the first exception's message; the information is one exception, or one per metric."""
    if not info:
        return None
    if "raised_exception" in info:
        return str(info["exception_message"]) if info["raised_exception"] else None
    messages = sorted(str(one["exception_message"]) for one in info.values() if one.get("raised_exception"))
    return messages[0] if messages else None
