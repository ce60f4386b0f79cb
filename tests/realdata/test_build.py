"""Real deliveries, built: what public data cannot tell is no data with a reason, never zero (needs ../shared/data)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from parkindex import methodology, pipeline
from parkindex.identity import resolve
from parkindex.raw import load
from parkindex.settings import PROJECT_ROOT, Settings
from parkindex.transform import warehouse as layers

DATA = PROJECT_ROOT.parent / "shared" / "data"
RECEIVED = datetime(2025, 6, 30, tzinfo=UTC)
PREFIX = "cand_1__"
pytestmark = [pytest.mark.realdata, pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")]


def test_public_deliveries_give_no_data_and_no_zero(warehouse: Settings) -> None:
    engine = pipeline.engine_of(warehouse)
    deliveries = {
        "enterprise_registry": [DATA / "registration" / "sh_reg_dev.csv.gz"],
        "financing_rounds": [DATA / "financing" / "itjuzi_export.csv"],
        "patents": sorted((DATA / "patents" / "cnipa_xml").rglob("*.xml")),
    }
    for feed, paths in deliveries.items():
        assert any(batch.status == "loaded" for batch in load.land(engine, warehouse, feed, paths, RECEIVED)), feed
    sha256 = methodology.store(engine, methodology.load(2025))
    layers.stage(engine, warehouse, PREFIX, RECEIVED, sha256)
    run = resolve.run(engine, PREFIX, RECEIVED, "0" * 64)
    layers.relate(engine, warehouse, PREFIX, RECEIVED, sha256, run)
    layers.index(engine, warehouse, PREFIX, RECEIVED, sha256, run, 2025)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"select * from {PREFIX}park_index.indicator_scores").all()
        placements = connection.exec_driver_sql(
            "select park_code, method, evidence, count(*) from identity.placements group by 1, 2, 3"
        ).all()
        enterprises = connection.exec_driver_sql(f"select count(*) from {PREFIX}marts.enterprises").scalar_one()
        asked = connection.exec_driver_sql(
            "select (select count(*) from identity.enterprise_links) + (select count(*) from identity.review_queue)"
        ).scalar_one()
        names = connection.exec_driver_sql(
            f"select count(*) from (select company_name_key from {PREFIX}staging.stg_financing_rounds__rounds"
            f" union select first_applicant_name_key from {PREFIX}staging.stg_patents__publications"
            f" union select name_key from identity.further_applicants) as asked"
        ).scalar_one()
    assert len(rows) == 22 * 35
    assert all(row.value is None and row.score is None and row.reason for row in rows)
    assert {row.obs_status for row in rows} == {"no_data"}
    # Every enterprise has its stay, in no park, and says why; every name was linked or queued.
    assert enterprises > 28_000
    assert [tuple(row) for row in placements] == [
        (
            None,
            "none",
            "the registry row has no point, and its address is in no street range or town of a park",
            enterprises,
        )
    ]
    assert asked == names > 250
