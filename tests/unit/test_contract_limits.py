"""What a contract says about holding and drift: read strictly, and compared without breaking."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from contract_files import small
from parkindex import contracts
from parkindex.contracts.derive import ddl, expectations
from parkindex.errors import BadInputError

END = "customProperties:\n  - {property: onUnknownColumn, value: freeze}\n"
GRAIN = "    dataGranularityDescription: One row per shop and day.\n"


def said(*properties: str) -> tuple[str, str]:
    return END, END + "".join(f"  - {{property: {one}}}\n" for one in properties)


def withdrawing(value: str) -> tuple[str, str]:
    return GRAIN, f"{GRAIN}    customProperties: [{{property: withdrawal, value: {value}}}]\n"


def test_what_is_not_said_holds_nothing(tmp_path: Path) -> None:
    contract = small(tmp_path)
    assert (contract.reject_limit, contract.delivery, contract.max_shrink_share) == (None, "increment", None)
    assert (contract.on_type_mismatch, contract.on_unknown_code) == ("quarantine", "quarantine")


def test_limits_and_modes_are_read_and_compared(tmp_path: Path) -> None:
    old = small(tmp_path)
    new = small(
        tmp_path,
        said(
            "rejectLimit, value: {count: 5, share: 0.05}",
            "delivery, value: full",
            "maxShrinkShare, value: 0.2",
            "onTypeMismatch, value: evolve",
            "onUnknownCode, value: freeze",
        ),
    )
    assert new.reject_limit == contracts.RejectLimit(5, Decimal("0.05"))
    assert (new.delivery, new.max_shrink_share) == ("full", Decimal("0.2"))
    changes = {change.what: change.breaking for change in contracts.diff(old, new)}
    assert changes == {
        "onTypeMismatch quarantine → evolve": False,
        "onUnknownCode quarantine → freeze": True,
        "rejectLimit none → count 5, share 0.05": False,
        "delivery increment → full": False,
        "maxShrinkShare none → 0.2": False,
        "version 1.0.0 → 1.0.0": True,
    }


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (said("rejectLimit, value: {}"), "contract.reject_limit"),
        (said("rejectLimit, value: {rows: 1}"), "contract.reject_limit"),
        (said("rejectLimit, value: {count: -1}"), "contract.reject_limit"),
        (said("rejectLimit, value: {share: 1.5}"), "contract.share"),
        (said("delivery, value: full"), "contract.delivery"),
        (said("maxShrinkShare, value: 0.5"), "contract.delivery"),
        (said("delivery, value: snapshot"), "contract.closed_list"),
        (said("onUnknownCode, value: drop"), "contract.closed_list"),
        (withdrawing("{column: kind}"), "contract.withdrawal"),
        (withdrawing("{column: kind, values: []}"), "contract.withdrawal"),
        (withdrawing("{column: colour, values: [x]}"), "contract.reference"),
        (("property: parse, value: money_text", "property: unitGuard, value: true"), "contract.options"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, change: tuple[str, str], rule: str) -> None:
    with pytest.raises(BadInputError) as caught:
        small(tmp_path, change)
    assert caught.value.why.startswith(rule)


def test_a_withdrawal_adds_a_column_and_new_codes_only_warn(tmp_path: Path) -> None:
    contract = small(tmp_path, withdrawing("{column: kind, values: [茶]}"), said("onUnknownCode, value: evolve"))
    assert "is_withdrawn boolean not null" in ddl(contract)[0]
    assert {one.severity for one in expectations(contract) if one.kind == "in_set"} == {"warning"}
    assert {one.severity for one in expectations(small(tmp_path)) if one.kind == "in_set"} == {"error"}
