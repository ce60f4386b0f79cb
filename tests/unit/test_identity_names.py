"""Names: what is one name in two spellings, what is another name, who is proposed, what decisions do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parkindex.errors import BadInputError
from parkindex.identity import candidates, company_names, decisions, relations
from parkindex.identity.decisions import Decision, Standing, standing
from parkindex.identity.names import look_up
from parkindex.text import keys

_NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _canonical(*names: str) -> list[str]:
    frame = pl.DataFrame({"key": keys("name", pl.Series(names))})
    return frame.select(company_names.canonical(pl.col("key"))).to_series().to_list()


def _registered(*held: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"name_key": keys("name", pl.Series([name for name, _ in held])), "enterprise_id_uscc": [u for _, u in held]}
    )


def _decision(action: str, target: str, hour: int = 0, subject: str = "甲乙软件") -> Decision:
    at = _NOON.replace(hour=hour)
    return Decision(action, decisions.NAME, subject, target, "Li", "seen on the licence", decided_at=at)


REGISTRY = _registered(
    ("上海澜昱微电子有限公司", "U1"),
    ("上海澜昱微电子股份有限公司", "U2"),
    ("檀珑（上海）软件有限公司", "U3"),
    ("上海琰泓贸易有限公司", "U4"),
    ("上海琰泓贸易有限公司", "U5"),
)


def test_spellings_of_one_name_have_one_canonical_form() -> None:
    forms = _canonical(
        "上海澜昱微电子有限公司",
        "澜昱（上海）微电子有限责任公司",
        "上海市澜昱 微电子有限公司",
        "上海澜昱微电子有限公司(Shanghai Lanyu Microelectronics Co., Ltd.)",
        "澜昱〔上海市〕微电子有限公司",
    )
    assert set(forms) == {"上海澜昱微电子有限公司"}
    assert len(set(_canonical("Lanyu Chips Co., Ltd.", "LANYU CHIPS CO LTD", "Lanyu Chips Company Limited"))) == 1


def test_other_names_keep_other_canonical_forms() -> None:
    names = (
        "上海澜昱微电子有限公司",
        "上海澜昱微电子股份有限公司",
        "北京澜昱微电子有限公司",
        "上海澜昱电子有限公司",
        "上海澜昱微电子有限公司第一分公司",
        "上海澜昱微电子合伙企业(有限合伙)",
    )
    assert len(set(_canonical(*names))) == len(names)


def test_an_exact_name_is_linked_before_another_spelling_of_it() -> None:
    found = {one.name_key: one for one in look_up(["上海澜昱微电子有限公司", "檀珑(上海)软件有限公司"], REGISTRY, {})}
    assert [(one.enterprise_id_uscc, one.method, one.score) for one in found.values()] == [
        ("U1", "exact_name", 1.0),
        ("U3", "exact_name", 1.0),
    ]


def test_another_spelling_is_linked_when_one_enterprise_alone_has_held_it() -> None:
    (one,) = look_up(["上海市檀珑软件有限责任公司"], REGISTRY, {})
    assert (one.enterprise_id_uscc, one.method, one.score) == ("U3", "normalised_name", 0.99)
    assert "檀珑(上海)软件有限公司" in one.evidence


def test_a_name_that_two_have_held_is_proposed_and_never_linked() -> None:
    (one,) = look_up(["上海琰泓贸易有限公司"], REGISTRY, {})
    assert (one.enterprise_id_uscc, one.method) == (None, "ambiguous_name")
    assert [candidate.enterprise_id_uscc for candidate in one.candidates] == ["U4", "U5"]


@pytest.mark.parametrize(
    "near", ["上海澜晟微电子有限公司", "上海澜昱微电子科技有限公司", "澜昱微电子", "北京澜昱微电子有限公司"]
)
def test_a_near_name_is_proposed_and_never_linked(near: str) -> None:
    (one,) = look_up([near], REGISTRY, {})
    assert (one.enterprise_id_uscc, one.method) == (None, "unknown_name")
    assert one.candidates[0].enterprise_id_uscc in {"U1", "U2"}
    assert candidates.LEAST_SCORE <= one.candidates[0].score < 1


def test_a_strangers_name_has_no_candidate() -> None:
    (one,) = look_up(["东海理工大学"], REGISTRY, {})
    assert (one.enterprise_id_uscc, one.candidates) == (None, ())


def test_decisions_go_before_every_rule() -> None:
    chosen = standing([_decision("accept", "U5", subject="上海琰泓贸易有限公司")], decisions.NAME)
    (one,) = look_up(["上海琰泓贸易有限公司"], REGISTRY, chosen)
    assert (one.enterprise_id_uscc, one.method) == ("U5", "decision")
    assert one.evidence == "accepted by Li on 2026-05-01: seen on the licence"
    refused = standing([_decision("reject", "U1", subject="上海澜昱微电子有限公司")], decisions.NAME)
    (one,) = look_up(["上海澜昱微电子有限公司"], REGISTRY, refused)
    assert (one.enterprise_id_uscc, one.method) == (None, "doubtful_name")
    assert "U1" not in {candidate.enterprise_id_uscc for candidate in one.candidates}
    nobody = standing([_decision("reject", "nobody", subject="上海澜昱微电子有限公司")], decisions.NAME)
    (one,) = look_up(["上海澜昱微电子有限公司"], REGISTRY, nobody)
    assert (one.enterprise_id_uscc, one.method, one.candidates) == (None, "decided_nobody", ())


def test_the_last_decision_of_a_pair_holds_and_a_withdrawal_takes_all_back() -> None:
    steps = [
        _decision("accept", "U1", 1),
        _decision("reject", "U1", 2),
        _decision("accept", "U2", 3),
        _decision("withdraw", "*", 4),
    ]
    told = [standing(steps[:length], decisions.NAME)["甲乙软件"] for length in range(1, 5)]
    assert [one.accepted.target if one.accepted else None for one in told] == ["U1", None, "U2", None]
    assert [one.rejected for one in told] == [set(), {"U1"}, {"U1"}, set()]
    assert told[3] == Standing()


def test_decisions_survive_a_file(tmp_path: Path) -> None:
    kept = [
        _decision("accept", "U1", 1),
        Decision(
            *("accept", decisions.RELATION, "U1", "U2", "Li", "notice, 公告"),
            decided_at=_NOON,
            relation="merged_into",
            valid_from=date(2024, 3, 1),
        ),
    ]
    assert decisions.write_file(kept, tmp_path / "d.csv") == 2
    assert decisions.read_file(tmp_path / "d.csv") == kept
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(BadInputError, match="no file of decisions"):
        decisions.read_file(tmp_path / "other.csv")


def test_a_relation_ends_when_it_is_taken_back() -> None:
    made = Decision(
        *("accept", decisions.RELATION, "U1", "U2", "Li", "x"),
        decided_at=_NOON,
        relation="merged_into",
        valid_from=date(2024, 3, 1),
    )
    undone = Decision("reject", decisions.RELATION, "U1", "U2", "Li", "x", decided_at=_NOON, relation="merged_into")
    assert decisions.relations([made]) == [made]
    assert decisions.relations([made, undone]) == []


def test_branches_belong_to_the_company_their_name_begins_with() -> None:
    since = date(2020, 1, 1)
    branches = [
        ("B1", "上海澜昱微电子有限公司张江分公司", since),
        ("B2", "上海琰泓贸易有限公司第二分公司", since),
        ("B3", "上海无名有限公司嘉定分公司", since),
        ("B4", "澜江代表处", since),
    ]
    holders = {"上海澜昱微电子有限公司": ["U1"], "上海琰泓贸易有限公司": ["U4", "U5"]}
    found = list(relations.branch_rows(branches, holders))
    assert [(row[0], row[1], row[2], row[3]) for row in found] == [("B1", "branch_of", "U1", since)]


_WORDS = st.text(alphabet="澜昱檀珑科技软件上海北京()", min_size=1, max_size=14)


@given(st.lists(_WORDS, min_size=1, max_size=8, unique=True), st.lists(_WORDS, max_size=8))
def test_a_link_always_rests_on_the_same_canonical_name(held: list[str], asked: list[str]) -> None:
    registered = pl.DataFrame({"name_key": held, "enterprise_id_uscc": [f"U{place}" for place in range(len(held))]})
    by_name = dict(zip(held, _canonical(*held), strict=True))
    for one in look_up(sorted(set(asked)), registered, {}):
        (own,) = _canonical(one.name_key)
        same = {f"U{place}" for place, name in enumerate(held) if by_name[name] == own}
        if one.enterprise_id_uscc:
            assert one.enterprise_id_uscc in same
        assert all(candidate.score <= 1 for candidate in one.candidates)


def test_blocks_keep_the_work_near_linear() -> None:
    # A pair of characters that very many names share is no block: the pairs compared do not grow with the square.
    size = 6_000
    held = [f"上海中华{chr(0x4E00 + place // 80)}{chr(0x5000 + place % 80)}科技有限公司" for place in range(size)]
    registered = pl.DataFrame({"name_key": held, "enterprise_id_uscc": [f"U{place:05d}" for place in range(size)]})
    asked = pl.Series([name.replace("科技", "软件") for name in held[::60]])
    found = candidates.propose(asked, registered)
    assert found["name_key"].n_unique() == len(asked)
    best = found.unique("name_key", keep="first", maintain_order=True)
    assert best["registered_key"].to_list() == [name.replace("软件", "科技") for name in best["name_key"].to_list()]
