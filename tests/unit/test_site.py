"""The pages say what was released, in two languages, to everybody, and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import html

import site_record
from parkindex import site
from parkindex.errors import BadInputError
from parkindex.site import charts, numbers, palette, words

_NUMBER = re.compile(r"[−+±]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")


@pytest.fixture(scope="module")
def record() -> site.ReleaseRecord:
    return site_record.make()


@pytest.fixture(scope="module")
def out(record: site.ReleaseRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("发布 2025")
    site.render(record, folder)
    return folder


@pytest.fixture(scope="module")
def pages(out: Path) -> dict[str, html.HtmlElement]:
    return {str(path.relative_to(out)): _parse(path) for path in sorted(out.rglob("*.html"))}


def _parse(path: Path) -> html.HtmlElement:
    return html.document_fromstring(path.read_bytes().decode(), parser=html.HTMLParser(encoding="utf-8"))


def _text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def _data(element: html.HtmlElement) -> list[tuple[str, str]]:
    return [(one.get("value"), one.text_content()) for one in element.iter("data")]


def _ranking_rows(pages: dict[str, html.HtmlElement]) -> dict[str, html.HtmlElement]:
    rows = pages["index.html"].xpath("//table[@id='ranking']/tbody/tr")
    return {row.xpath("./th//code")[0].text: row for row in rows}


# ------------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (Decimal("2.675"), 2, "2.68"),
        (Decimal("0.125"), 2, "0.13"),
        (Decimal("-0.125"), 2, "−0.13"),
        (Decimal("-0.001"), 2, "0.00"),
        (Decimal("1234567.5"), 0, "1,234,568"),
        (12, 2, "12.00"),
        (Decimal("1E+9"), 0, "1,000,000,000"),
    ],
)
def test_numbers_are_rounded_half_up_with_a_true_minus(value: Decimal | int, decimals: int, expected: str) -> None:
    assert numbers.shown(value, decimals) == expected


def test_a_number_carries_what_was_released_in_full() -> None:
    assert str(numbers.number(Decimal("44.837777777778"), 2)) == '<data class="n" value="44.837777777778">44.84</data>'
    assert numbers.exact(Decimal("100.000000000000")) == "100"
    assert numbers.exact(Decimal("1E+2")) == "100"
    assert numbers.exact(Decimal("-0.000")) == "0"
    assert str(numbers.whole(Decimal("-1234.500"))) == '<data class="n" value="-1234.5">−1,234.5</data>'


def test_counts_have_no_decimals_and_medians_of_counts_may() -> None:
    assert numbers.value_decimals(Decimal("7.000000000000"), "家") == 0
    assert numbers.value_decimals(Decimal("7.5"), "家") == 1
    assert numbers.value_decimals(Decimal(7), "亿元") == 2
    assert numbers.value_of(Decimal(1) / 365, "家/日").endswith(">0.0027</data>")
    assert numbers.median([Decimal(4), 1, 2, Decimal(3)]) == Decimal("2.5")
    assert numbers.median([]) is None


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(BadInputError, match="not finite"):
        numbers.number(Decimal("NaN"), 2)


# ------------------------------------------------------------------------------------------- what is on the pages is so


def test_a_release_has_a_page_per_park_and_five_more(out: Path, record: site.ReleaseRecord) -> None:
    first = ["index.html", "method.html", "audit.html", "whatif.html", "zone.html"]
    expected = {*first, "notice.css", *(f"parks/P{number:02d}.html" for number in range(1, 23))}
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == expected
    again = site.render(record, out)
    assert [str(path.relative_to(out)) for path in again[:5]] == first


def test_the_zone_page_tells_place_moves_and_earlier_targets(pages: dict[str, html.HtmlElement]) -> None:
    page = pages["zone.html"]
    rows = {row.xpath(".//code")[0].text: row for row in page.xpath("//table")[1].xpath("./tbody/tr")}
    assert len(rows) == 22
    assert [_text(cell) for cell in rows[site_record.HOSTILE_PARK].xpath("./td")][-4:] == ["1,234", "0", "0", "0"]
    assert [_text(cell) for cell in rows["P02"].xpath("./td")][-4:] == ["0", "7", "0", "0"]
    assert [_text(cell) for cell in rows["P03"].xpath("./td")][-4:] == ["0", "0", "0", "5"]
    assert "no valid plot" in _text(rows["P22"])
    trend = {row.xpath(".//code")[0].text: row for row in page.xpath("//table")[0].xpath("./tbody/tr")}
    assert _text(trend["T1"].xpath("./td")[0]) == "21"
    assert "none" in _text(trend["T2"].xpath("./td")[0])
    assert len(page.xpath("//figure//*[local-name()='a']")) == 21


def test_a_release_that_tells_nothing_of_the_zone_has_no_page_of_it(tmp_path: Path) -> None:
    written = site.render(site_record.make(beside={}), tmp_path)
    assert "zone.html" not in {path.name for path in written}
    assert "zone.html" not in (tmp_path / "index.html").read_text("utf-8")


def test_the_ranking_shows_the_released_numbers(pages: dict[str, html.HtmlElement], record: site.ReleaseRecord) -> None:
    rows = _ranking_rows(pages)
    assert len(rows) == 22
    areas = {(row["park_code"], row["area_code"]): row["score"] for row in record.area_scores}
    for ranking in record.park_ranking:
        code = ranking["park_code"]
        cells = rows[code].xpath("./td | ./th")
        if ranking["rank"] is None:
            assert "未排名" in _text(cells[0])
            assert [value for value, _ in _data(rows[code])] == [
                "27",
                "27",
            ]  # values that are missing, in both languages
            continue
        assert _data(cells[0]) == [(str(ranking["rank"]), str(ranking["rank"]))]
        assert ("并列" in _text(cells[0])) is ranking["is_tied"]
        assert _data(cells[2]) == [(numbers.exact(ranking["score"]), numbers.shown(ranking["score"], 2))]
        low, high, share = _data(cells[4])[0], _data(cells[4])[1], _data(cells[4])[2]
        assert (low[1], high[1]) == (str(ranking["rank_low"]), str(ranking["rank_high"]))
        assert share == (numbers.exact(ranking["tier_share"]), f"{numbers.shown(ranking['tier_share'] * 100, 0)}%")
        if ranking["rank_change"]:
            assert _data(cells[5])[0][1] == str(abs(ranking["rank_change"]))
            assert ("升" in _text(cells[5])) is (ranking["rank_change"] > 0)
        for place, area in enumerate(("A", "B", "C")):
            assert _data(cells[6 + place])[0][0] == numbers.exact(areas[code, area])
        missing = [park_code for park_code, _ in site_record.MISSING if park_code == code]
        assert len(cells[10].xpath(".//a")) == len(missing)


def test_parks_stand_in_the_order_of_their_ranks_and_the_unranked_last(
    pages: dict[str, html.HtmlElement], record: site.ReleaseRecord
) -> None:
    ranks = {row["park_code"]: row["rank"] for row in record.park_ranking}
    shown = list(_ranking_rows(pages))
    assert shown == sorted(shown, key=lambda code: (ranks[code] is None, ranks[code] or 0, code))
    assert shown[-1] == site_record.UNRANKED_PARK
    twins = [row for row in record.park_ranking if row["park_code"] in site_record.TWINS]
    assert len({row["rank"] for row in twins}) == 1
    assert all(row["is_tied"] for row in twins)


def test_every_indicator_card_shows_the_released_row(
    pages: dict[str, html.HtmlElement], record: site.ReleaseRecord
) -> None:
    for row in record.indicator_scores:
        card = pages[f"parks/{row['park_code']}.html"].get_element_by_id(row["indicator_code"])
        shown = {value for value, _ in _data(card)}
        columns = (
            "value",
            "numerator",
            "denominator",
            "bound_low",
            "bound_high",
            "score",
            "weight",
            "contribution",
            "rank",
        )
        expected = {numbers.exact(row[column]) for column in columns if row[column] is not None}
        assert expected <= shown, row
        if row["value"] is None:
            assert row["reason"] in _text(card)
            assert "无数据" in _text(card)


def test_every_number_on_a_page_is_one_of_the_release(
    pages: dict[str, html.HtmlElement], record: site.ReleaseRecord
) -> None:
    known = {
        numbers.exact(value)
        for table in (
            record.park_ranking,
            record.area_scores,
            record.indicator_scores,
            record.indicators,
            record.zone_targets,
        )
        for row in table
        for value in row.values()
        if isinstance(value, (Decimal, int)) and not isinstance(value, bool)
    }
    known |= {numbers.exact(abs(row["rank_change"])) for row in record.park_ranking if row["rank_change"] is not None}
    known |= {numbers.exact(one.amount) for behind in record.evidence.values() for one in behind.records}
    known |= {str(behind.total) for behind in record.evidence.values()}
    known |= {
        str(total)
        for b in record.evidence.values()
        for total in (b.numerator_total, b.denominator_total, len(b.records))
    }
    by_indicator: dict[str, list[Decimal | int]] = {}
    for row in record.indicator_scores:
        if row["value"] is not None:
            by_indicator.setdefault(row["indicator_code"], []).append(row["value"])
    known |= {numbers.exact(numbers.median(values)) for values in by_indicator.values()}
    counts = {
        "22",
        "21",
        "2",
        "27",
        "8",
        "35",
        "9",
        "1",
        "41",
        "100",
        "1000",
        "0.25",
    }  # parks, ties, register, gate, rules
    for name in ("index.html", *(f"parks/P{number:02d}.html" for number in range(1, 23))):
        strange = {value for value, _ in _data(pages[name])} - known - counts
        assert not strange, (name, strange)


def test_both_languages_say_the_same_numbers(pages: dict[str, html.HtmlElement]) -> None:
    compared = 0
    for name, page in pages.items():
        pairs = page.xpath("//span[contains(@class, 'zh')][following-sibling::*[1][contains(@class, 'en')]]")
        assert len(pairs) == len(page.xpath("//span[contains(concat(' ', @class, ' '), ' zh ')]")), name
        for chinese in pairs:
            english = chinese.getnext()
            assert english.tag == "span"
            if "name" in chinese.get("class"):
                continue
            texts = (_text(chinese), _text(english))
            assert Counter(_NUMBER.findall(texts[0])) == Counter(_NUMBER.findall(texts[1])), (name, texts)
            compared += bool(_NUMBER.search(texts[0]))
    assert compared > 500


def test_what_is_not_computed_is_listed_as_such(pages: dict[str, html.HtmlElement]) -> None:
    notice = pages["index.html"].xpath("//details[@class='notice']")[0]
    assert "35 项指标中已计算 27 项" in _text(notice)
    assert len(notice.xpath(".//li")) == 8
    assert "尚无已计算的指标" in _text(notice)
    framework = pages["method.html"].xpath("//table[contains(@class, 'framework')]/tbody/tr")
    assert len(framework) == 35
    assert sum("尚未计算" in _text(row) for row in framework) == 8


def test_when_every_indicator_is_computed_nothing_is_said_to_be_missing(tmp_path: Path) -> None:
    site.render(site_record.make(not_computed=""), tmp_path)
    for page in sorted(tmp_path.rglob("*.html")):
        text = page.read_text("utf-8")
        assert "尚未计算" not in text, page.name
        assert "尚无已计算的指标" not in text, page.name
    method = html.fromstring((tmp_path / "method.html").read_text("utf-8"))
    assert "登记 35 项，已计算 35 项" in _text(method)


def test_weights_and_bounds_carry_their_mark_and_are_never_called_official(
    pages: dict[str, html.HtmlElement],
) -> None:
    for row in pages["method.html"].xpath("//table[contains(@class, 'framework')]/tbody/tr"):
        assert "assumed" in _text(row.xpath("./td[5]")[0])
    for name, page in pages.items():
        for found in re.finditer(r".{0,30}(官方|official)", _text(page)):
            assert re.search(r"不是官方|[Nn]ot (the )?official|none is official", found.group()), (name, found.group())


def test_records_name_file_and_row_and_how_many_there_are(pages: dict[str, html.HtmlElement]) -> None:
    evidence = pages["parks/P01.html"].get_element_by_id("A1").xpath(".//details")[0]
    assert "40 条记录，列出 8 条" in _text(evidence)
    first = evidence.xpath(".//tbody/tr")[0]
    assert "统计年报_2025_P01.xlsx" in _text(first)
    assert "第 3 行" in _text(first)
    assert _data(first)[0] == ("123456789.5", "123,456,789.5")


def test_every_page_is_bound_to_its_release(pages: dict[str, html.HtmlElement], record: site.ReleaseRecord) -> None:
    for name, page in pages.items():
        identity = _text(page.xpath("//dl[@class='identity']")[0])
        footer = _text(page.xpath("//footer")[0])
        assert record.release_id in identity
        assert str(record.chain_sha256)[:12] in identity
        assert record.methodology_sha256[:12] in identity
        assert "2026-03-31 18:00" in identity, name
        assert "检查 9 项，警告 1 项" in identity
        assert identity.count("演示人员") == 2
        for full in (record.chain_sha256, record.content_sha256, record.methodology_sha256):
            assert str(full) in footer
        assert "合成数据 SYNTHETIC DATA" in _text(page.xpath("//body")[0])
        assert "PREVIEW" not in _text(page.xpath("//body")[0])


def test_a_preview_says_so_and_offers_no_downloads(tmp_path: Path) -> None:
    site.render(site_record.preview(is_synthetic=False), tmp_path)
    page = _parse(tmp_path / "index.html")
    body = _text(page.xpath("//body")[0])
    assert "PREVIEW 预览" in body
    assert "SYNTHETIC" not in body
    assert not page.xpath("//a[@download]")
    assert "PREVIEW" in page.xpath("//style")[0].text
    assert "尚未经过质量门" in _text(_parse(tmp_path / "audit.html"))


def test_a_known_reason_is_said_in_chinese_too(tmp_path: Path, record: site.ReleaseRecord) -> None:
    said = "no accounts of 2025 for any enterprise in the parks"
    rows = [
        {**row, "reason": said} if row["reason"] == "no revenue in 2025" else row for row in record.indicator_scores
    ]
    site.render(replace(record, indicator_scores=rows), tmp_path)
    card = _parse(tmp_path / "parks/P21.html").get_element_by_id("A1")
    assert said in _text(card)
    assert "没有收到园区内任何企业 2025 年的财务数据" in _text(card)
    assert words.reason("something else") is None


# -------------------------------------------------------------------------------------------------------------- safety


def test_hostile_names_stay_text(out: Path, pages: dict[str, html.HtmlElement]) -> None:
    for name, page in pages.items():
        assert len(page.xpath("//script[not(@type='application/json')]")) == 1, name
        assert not page.xpath("//img | //iframe | //*[@onerror] | //*[@style]"), name
    assert site_record.HOSTILE_ZH in _text(pages["index.html"].xpath("//table[@id='ranking']")[0])
    heading = pages[f"parks/{site_record.HOSTILE_PARK}.html"].xpath("//h1")[0]
    assert site_record.HOSTILE_EN in _text(heading)
    assert site_record.HOSTILE_NOTE in _text(pages["audit.html"].xpath("//body")[0])


def test_a_hostile_release_id_cannot_leave_the_style_sheet(tmp_path: Path) -> None:
    site.render(site_record.make(release_id='"}</style><script>alert(1)</script>'), tmp_path)
    page = _parse(tmp_path / "index.html")
    assert len(page.xpath("//script")) == 1
    assert len(page.xpath("//style")) == 1


def test_no_page_asks_for_anything_beyond_its_folder(out: Path, pages: dict[str, html.HtmlElement]) -> None:
    files = {str((out / name).resolve()): set(page.xpath("//@id")) for name, page in pages.items()}
    for name, page in pages.items():
        for element, attribute, link, _ in page.iterlinks():
            if attribute == "src" or element.tag == "link":
                assert link == "data:," or link.removeprefix("../") == "notice.css", (name, link)
                continue
            parts = urlsplit(link)
            assert not parts.scheme and not parts.netloc, (name, link)
            if not parts.path:
                assert parts.fragment in page.xpath("//@id"), (name, link)
                continue
            target = (out / name).parent.joinpath(parts.path).resolve()
            if target.name in site.DOWNLOADS:
                assert target.parent == out.resolve()
                continue
            assert str(target) in files, (name, link)
            assert not parts.fragment or parts.fragment in files[str(target)], (name, link)
        assert "url(" not in page.xpath("//style")[0].text
        assert "@import" not in page.xpath("//style")[0].text
        policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy


def test_the_same_record_gives_the_same_bytes(tmp_path: Path, out: Path) -> None:
    for path in site.render(site_record.make(), tmp_path):
        assert path.read_bytes() == (out / path.relative_to(tmp_path)).read_bytes()


def test_pages_are_small(out: Path) -> None:
    assert (out / "index.html").stat().st_size < 300_000


# ------------------------------------------------------------------------------------------------------- accessibility


def test_ids_are_unique_and_references_lead_somewhere(pages: dict[str, html.HtmlElement]) -> None:
    for name, page in pages.items():
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids)), name
        for attribute in ("aria-labelledby", "for"):
            assert set(page.xpath(f"//@{attribute}")) <= set(ids), (name, attribute)


def test_every_table_has_a_caption_and_scoped_headers(pages: dict[str, html.HtmlElement]) -> None:
    for name, page in pages.items():
        tables = page.xpath("//table")
        assert tables, name
        for table in tables:
            assert len(table.xpath("./caption")) == 1, name
            assert _text(table.xpath("./caption")[0])
            assert not table.xpath(".//th[not(@scope)]"), name
            width = len(table.xpath("./thead/tr/th[@scope='col']"))
            for row in table.xpath("./tbody/tr"):
                spans = sum(int(cell.get("colspan", "1")) for cell in row.xpath("./td | ./th"))
                assert spans == width, (name, _text(row))
            assert table.getparent().get("role") == "region"
            assert table.getparent().get("tabindex") == "0"


def test_text_is_marked_with_its_language_and_drawings_are_skipped(pages: dict[str, html.HtmlElement]) -> None:
    for name, page in pages.items():
        assert page.get("lang") == "zh-CN"
        assert not page.xpath("//svg[not(@aria-hidden='true') and not(@role='group')]"), name
        assert set(page.xpath("//span[contains(concat(' ', @class, ' '), ' en ')]/@lang")) <= {"en", "zh-CN"}
        levels = [int(heading.tag[1]) for heading in page.xpath("//main//h1 | //main//h2 | //main//h3")]
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels)), name


def test_the_palette_has_the_contrast_it_promises() -> None:
    for foreground, background, least in palette.PAIRS:
        for light in (0, 1):
            found = palette.contrast(palette.TOKENS[foreground][light], palette.TOKENS[background][light])
            assert found >= least, (foreground, background, ("light", "dark")[light], round(found, 2))


def test_the_style_sheet_takes_its_colours_from_the_palette() -> None:
    css = (Path(palette.__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")
    assert set(re.findall(r"var\(--([a-z-]+)\)", css)) == set(palette.TOKENS)
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", css)) <= {"#000"}  # banners on paper


def test_units_are_spelled_without_digits() -> None:
    assert not [english for _, english in words.UNITS.values() if re.search(r"\d", english)]


def test_an_interval_is_drawn_where_it_is() -> None:
    drawn = str(charts.rank_interval(5, 3, 8, 22, (7, 15, 22), 168))
    assert 'd="M20.9 10H58.0"' in drawn
    assert 'cx="35.7"' in drawn
    assert drawn.count("tier-line") == 2
    assert "circle" not in str(charts.rank_interval(None, 1, 2, 22, (), 168))
    assert 'width="48.0"' in str(charts.bar(Decimal(50), 100, 96))
    assert 'width="0.0"' in str(charts.bar(None, 0, 96))
    assert 'cx="234.0"' in str(charts.position(Decimal(900), 0, 100, None, 240))


# ---------------------------------------------------------------------------------------------------------- bad records


def _without(rows: site.record.Rows, **key: str) -> list[object]:
    return [row for row in rows if any(row[column] != value for column, value in key.items())]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (lambda r: {"park_ranking": []}, "no row"),
        (lambda r: {"park_ranking": _without(r.park_ranking, park_code="P07")}, "no row for P07"),
        (lambda r: {"park_status": [*r.park_status, r.park_status[0]]}, "two rows of P01"),
        (lambda r: {"indicator_scores": _without(r.indicator_scores, park_code="P03", indicator_code="B2")}, "P03 B2"),
        (lambda r: {"area_scores": [*r.area_scores, {**r.area_scores[0], "park_code": "P99"}]}, "P99 A"),
        (lambda r: {"evidence": {("P99", "A1"): r.evidence["P01", "A1"]}}, "P99 A1"),
        (lambda r: {"parks": [{**r.parks[0], "park_code": "../P01"}, *r.parks[1:]]}, "cannot name a file"),
        (lambda r: {"park_ranking": [{**r.park_ranking[0], "rank_change": 21}, *r.park_ranking[1:]]}, "not the change"),
    ],
)
def test_a_record_that_does_not_hold_together_writes_nothing(changes, why, record, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as refused:
        site.render(replace(record, **changes(record)), tmp_path / "out")
    assert why in refused.value.why
    assert refused.value.next_step
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", [44.84, Decimal("NaN")])
def test_a_float_or_not_a_number_is_refused(value, record, tmp_path: Path) -> None:
    rows = [{**record.park_ranking[0], "score": value}, *record.park_ranking[1:]]
    with pytest.raises(BadInputError, match="not an exact one"):
        site.render(replace(record, park_ranking=rows), tmp_path)


def test_an_instant_without_a_zone_is_refused(record: site.ReleaseRecord, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no zone"):
        site.render(replace(record, as_known=record.as_known.replace(tzinfo=None)), tmp_path)
