"""What stands beside the content, on the pages: what moved a park, how firm its rank is, who froze the rules."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import html

import site_record
from parkindex import site
from parkindex.publish import disclosure
from parkindex.publish.doubts import _plain
from parkindex.scoring import coherence, doubt, leave_out, moved, published, targets


def zone_topics() -> dict[str, Any]:
    """Targets, declared industries and proposals, as publish/zone.py makes them."""
    proposal = {
        "park_code": "P21",
        "status": "normal",
        "proposed": "notice",
        "failing": True,
        "strikes": 1,
        "crosses_line": True,
        "rule": "last_in_peers 1; window years 3",
        "evidence": {"editions": [], "line": 21, "mean_score_of_failing": 12.5, "red_lines": ["<i>污染</i>"]},
    }
    quiet = {**proposal, "park_code": "P01", "proposed": "commended", "failing": False, "strikes": 0}
    quiet |= {"crosses_line": False, "evidence": {**quiet["evidence"], "red_lines": []}}
    (talent,) = targets.progress(
        {"due": 2025, "rows": [{"code": "T4", "operator": ">=", "low": 800000}]},
        2023,
        {"T4": 700000.0},
        {"T4": 650000.0},
        {"T4": (600000.0, 700000.0)},
    )
    industries = [{"name": f"产业{place}", "type": "主导", "classes": 2} for place in range(4)]
    return {
        "targets": [{**asdict(talent), "readings": {"core_codes": 600000.0}}],
        "declared": {
            "limit": 3,
            "parks": [{"park_code": "P21", "industries": industries, "count": 4, "too_many": True}],
        },
        "consequences": {
            "rule": proposal["rule"],
            "parks": [quiet, proposal],
            "red_lines": [{"edition": 2025, "park_code": "P21", "event": "<i>污染</i>", "document": "文号一"}],
            "decisions": [
                {
                    "edition": 2024,
                    "park_code": "P21",
                    "status": "notice",
                    "proposed": "notice",
                    "decided_by": "演示签发人",
                    "role": "signatory",
                    "reason": "first failure",
                }
            ],
        },
    }


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, html.HtmlElement]:
    record = site_record.make()
    values = [(row["park_code"], row["indicator_code"], row["value"]) for row in record.indicator_scores]
    document, values, _ = published.scorable(record.methodology, values)
    moves = moved.split(moved.Past(document, None, values, values), document, values, values)
    found = {
        "simulation": asdict(doubt.measure(document, values, draws=60, sobol_base=16)),
        "coherence": asdict(coherence.measure(document, values)),
        "without_indicators": [asdict(one) for one in leave_out.without_indicators(document, values)],
        "without_enterprises": {
            "enterprises": 9,
            "deciding": 2,
            "not_updated": [],
            "listed": [
                {
                    "park_code": "P01",
                    "enterprise_id_uscc": "91310000MA1K35KX0T",
                    "subject": "<b>示例</b>",
                    "rank": 1,
                    "rank_without": None,
                    "score_change": -1.25,
                }
            ],
        },
        **zone_topics(),
        "moves": {"against": "2024.1", "left_out": [], "parks": [asdict(move) for move in moves]},
    }
    beside: dict[str, Any] = json.loads(json.dumps(_plain(found)), parse_float=Decimal)
    signed = {
        "signed_by": "演示方法负责人",
        "signed_on": date(2025, 6, 30),
        "is_demo": True,
        "reason": "first version",
        "version": "1",
    }
    out: Path = tmp_path_factory.mktemp("beside")
    written = site.render(site_record.make(beside={**beside, "zone": site_record.zone()}, signoffs=(signed,)), out)
    return {str(path.relative_to(out)): html.fromstring(path.read_text("utf-8")) for path in written}


def english(page: html.HtmlElement, section: str) -> str:
    (found,) = page.xpath(f'//section[@aria-labelledby="{section}"]')
    for chinese in found.xpath('.//*[@lang="zh-CN"]'):
        chinese.drop_tree()
    return " ".join(found.text_content().split())


def test_a_park_page_splits_what_moved_it_and_says_how_firm_it_is(pages: dict[str, html.HtmlElement]) -> None:
    text = english(pages["parks/P01.html"], "moved")
    assert "release 2024.1" in text and "revisions of last year" in text and "boundary or sample" in text
    text = english(pages["parks/P01.html"], "doubt")
    assert "90% of the simulated ranks lie between" in text and "below the assumed pass line" in text
    assert "<b>示例</b>" in text and "not ranked" in text and "−1.25" in text
    assert "cannot be split" in english(pages[f"parks/{site_record.UNRANKED_PARK}.html"], "moved")


def test_the_audit_page_says_what_the_ranking_hangs_on(pages: dict[str, html.HtmlElement]) -> None:
    text = english(pages["audit.html"], "doubt")
    assert "60 simulations" in text and "outlier treatment" in text
    assert "Of 9 enterprises, 2 decide" in text


def test_the_method_page_says_who_froze_the_rules(pages: dict[str, html.HtmlElement]) -> None:
    text = english(pages["method.html"], "frozen")
    assert "演示方法负责人" in text and "nobody really signed" in text and "2025-06-30" in text
    assert "it proposes, people decide" in text
    ids = [identifier for page in pages.values() for identifier in [page.xpath("//@id")]]
    assert all(len(found) == len(set(found)) for found in ids)


def test_the_audit_page_says_what_the_rule_proposes_and_how_far_targets_are(pages: dict[str, html.HtmlElement]) -> None:
    text = english(pages["audit.html"], "proposed")
    assert "nothing is decided by it" in text and "P21" in text and "notice" in text and "commendation" in text
    assert "does not carry a decision" in text and "<i>污染</i> 文号一" in text and "first failure" in text
    text = english(pages["zone.html"], "distance")
    assert "Due in 2025" in text and "700,000" in text and "50,000" in text and "at the ends 100,000 and 50,000" in text
    assert "core industry codes only 600,000" in text


def test_a_park_page_says_what_follows_and_what_the_park_declares(pages: dict[str, html.HtmlElement]) -> None:
    text = english(pages["parks/P21.html"], "follows")
    assert "Red-line event" in text and "<i>污染</i>" in text and "Line, a rank21" in text.replace(" 21", "21")
    assert "4 declared; the policy text allows 3 in principle" in text
    text = english(pages["parks/P01.html"], "follows")
    assert "commendation" in text and "Red-line" not in text
    assert not pages["parks/P02.html"].xpath('//section[@aria-labelledby="follows"]')


def test_what_withheld_scores_could_be_computed_from_is_left_out_and_said(tmp_path: Path) -> None:
    """On real data only some topics may stand beside the content; the pages are made all the same."""
    record = site_record.make()
    values = [(row["park_code"], row["indicator_code"], row["value"]) for row in record.indicator_scores]
    document, values, _ = published.scorable(record.methodology, values)
    found = {"simulation": asdict(doubt.measure(document, values, draws=60, sobol_base=16)), **zone_topics()}
    hidden = {("P01", "B2"): {"conf_status": "C"}}
    beside = disclosure.public_beside(json.loads(json.dumps(_plain(found)), parse_float=Decimal), hidden)
    assert set(beside) == {"simulation", "declared", "consequences"}
    site.render(site_record.make(beside=beside), tmp_path)
    text = english(html.fromstring((tmp_path / "audit.html").read_text("utf-8")), "doubt")
    assert "60 simulations" in text and "withheld scores could be computed from it" in text
