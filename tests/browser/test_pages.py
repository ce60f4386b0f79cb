"""The pages in a browser, opened from files: languages, sorting, search, filters, keyboard, dark, narrow, paper."""

from __future__ import annotations

import base64
import importlib.metadata
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import site_record
from parkindex import site
from parkindex.publish import bundle_check
from parkindex.scoring import edition as scoring

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
if not CHROMIUM or not CHROMEDRIVER:
    pytest.skip("browser tests skipped: no Chromium", allow_module_level=True)

pytestmark = pytest.mark.browser

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PAGES = (
    "index.html",
    "method.html",
    "audit.html",
    "whatif.html",
    "zone.html",
    "parks/P01.html",
    "parks/P12.html",
    "parks/P22.html",
)

# Contrast of a text against the nearest painted background behind it, for every text that is shown.
_LOW_CONTRAST = """
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const linear = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((value) => linear(value / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const colour = parse(getComputedStyle(one).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour.slice(0, 3);
  }
  return [255, 255, 255];
};
const low = [];
let seen = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  const text = walker.currentNode.data.trim();
  if (!text || !element.checkVisibility() || element.closest(".vh, .skip, script")) continue;
  seen += 1;
  const both = [luminance(parse(getComputedStyle(element).color).slice(0, 3)), luminance(behind(element))];
  const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  if (ratio < 4.5) low.push([`${element.tagName}.${element.className}`, text.slice(0, 20), ratio.toFixed(2)]);
}
return [seen, low];
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("发布 folder")
    site.render(site_record.make(), out)
    return out


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(CHROMEDRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chrome: webdriver.Chrome, folder: Path) -> Iterator[webdriver.Chrome]:
    """A browser that forgot the choices of the test before; afterwards no console message may have been written."""
    chrome.get((folder / "index.html").as_uri())
    chrome.execute_script("localStorage.clear()")
    chrome.get((folder / "index.html").as_uri())
    _look(chrome)
    chrome.get_log("browser")
    yield chrome
    assert [entry["message"] for entry in chrome.get_log("browser")] == []


def _look(chrome: webdriver.Chrome, *, width: int = 1280, dark: bool = False, media: str = "") -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": scheme})


def _open(chrome: webdriver.Chrome, folder: Path, page: str, query: str = "") -> None:
    chrome.get((folder / page).as_uri() + query)


def _ranking(chrome: webdriver.Chrome) -> list[Any]:
    rows: list[Any] = chrome.execute_script(
        "return [...document.querySelectorAll('#ranking tbody tr')].filter((row) => row.checkVisibility())"
        ".map((row) => row.querySelector('th code').textContent)"
    )
    return rows


def _numbers(chrome: webdriver.Chrome) -> list[Any]:
    shown: list[Any] = chrome.execute_script(
        "return [...document.querySelectorAll('data, time')].filter((one) => one.checkVisibility()"
        " && !one.closest('.zh, .en')).map((one) => one.textContent)"
    )
    return shown


@pytest.mark.parametrize("page", _PAGES)
def test_a_page_opens_from_a_file_and_asks_for_nothing_else(browser: webdriver.Chrome, folder: Path, page: str) -> None:
    browser.get_log("performance")
    _open(browser, folder, page)
    asked = re.findall(
        r'"method":"Network.requestWillBeSent".*?"documentURL":"[^"]*".*?"url":"([^"]+)"',
        "\n".join(entry["message"] for entry in browser.get_log("performance")),
    )
    assert {url for url in asked if not url.startswith(("data:", "file:"))} == set()
    assert browser.find_element(By.TAG_NAME, "h1").text
    # The style sheet beside the pages is there to mark a release that another took the place of.
    loaded = "return document.querySelectorAll('img, script[src], link[rel=stylesheet]:not([href$=\\'notice.css\\'])')"
    assert browser.execute_script(f"{loaded}.length") == 0


def test_a_superseded_release_says_so_on_every_page_without_a_byte_of_it_changed(
    browser: webdriver.Chrome, folder: Path
) -> None:
    shown = "return getComputedStyle(document.querySelector('.notice'), '::before').content"
    mark = folder / bundle_check.NOTICE
    try:
        mark.write_text(bundle_check.notice("2025.2"), "utf-8")
        for page in ("index.html", "parks/P12.html"):
            _open(browser, folder, page)
            assert "2025.2" in browser.execute_script(shown)
            assert browser.find_element(By.CLASS_NAME, "notice").is_displayed()
    finally:
        mark.write_text("", "utf-8")
    _open(browser, folder, "index.html")
    assert not browser.find_element(By.CLASS_NAME, "notice").is_displayed()


def test_the_language_changes_words_and_no_number_and_is_kept_on_the_next_page(
    browser: webdriver.Chrome, folder: Path
) -> None:
    assert browser.find_element(By.TAG_NAME, "h1").text == "2025 年度园区综合评价排名"
    chinese = _numbers(browser)
    browser.find_element(By.ID, "language").click()
    assert browser.find_element(By.TAG_NAME, "h1").text == "Park ranking 2025"
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    assert _numbers(browser) == chinese
    assert len(chinese) > 150
    browser.find_element(By.LINK_TEXT, "Jinqiao Park").click()
    assert browser.find_element(By.TAG_NAME, "h1").text == "Jinqiao Park"
    browser.find_element(By.PARTIAL_LINK_TEXT, "Ranking 2025").click()
    assert browser.find_element(By.TAG_NAME, "h1").text == "Park ranking 2025"
    browser.find_element(By.ID, "language").click()
    assert browser.find_element(By.TAG_NAME, "h1").text == "2025 年度园区综合评价排名"


def test_the_table_sorts_by_keyboard_both_ways_with_missing_values_last(browser: webdriver.Chrome) -> None:
    record = site_record.make()
    scores = {row["park_code"]: row["score"] for row in record.area_scores if row["area_code"] == "B"}
    ranked = sorted((code for code, score in scores.items() if score is not None), key=lambda code: scores[code])
    button = browser.find_element(By.XPATH, "//table[@id='ranking']//th[8]/button")
    button.send_keys(Keys.ENTER)
    up = _ranking(browser)
    assert [scores[code] for code in up[:-1]] == [scores[code] for code in ranked]
    assert up[-1] == site_record.UNRANKED_PARK
    header = browser.find_element(By.XPATH, "//table[@id='ranking']//th[8]")
    assert header.get_attribute("aria-sort") == "ascending"
    button.send_keys(Keys.SPACE)
    down = _ranking(browser)
    assert [scores[code] for code in down[:-1]] == [scores[code] for code in reversed(ranked)]
    assert down[-1] == site_record.UNRANKED_PARK
    assert header.get_attribute("aria-sort") == "descending"
    assert len(browser.find_elements(By.CSS_SELECTOR, "#ranking th[aria-sort]")) == 1


def test_search_and_peers_narrow_the_table_and_say_how_many_are_left(browser: webdriver.Chrome) -> None:
    search = browser.find_element(By.ID, "search")
    shown = browser.find_element(By.ID, "shown")
    for words, expected in (("金桥", ["P02"]), ("JINQIAO", ["P02"]), ("P０7", ["P07"]), ("<script>", ["P12"])):
        search.clear()
        search.send_keys(words)
        assert _ranking(browser) == expected
        assert shown.text == "1"
    search.clear()
    search.send_keys("没有这样的园区")
    assert _ranking(browser) == []
    assert browser.find_element(By.ID, "nothing").is_displayed()
    search.send_keys(Keys.CONTROL, "a")
    search.send_keys(Keys.DELETE)
    browser.find_element(By.CSS_SELECTOR, "input[name=peers][value=central]").click()
    central = {row["park_code"] for row in site_record.make().parks if row["peer_group"] == "central"}
    assert set(_ranking(browser)) == central
    assert shown.text == str(len(central))


def test_the_keyboard_reaches_everything_with_a_visible_focus(browser: webdriver.Chrome) -> None:
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.get_attribute("class") == "skip"
    assert skip.location["x"] >= 0
    skip.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"
    reached = []
    for _ in range(20):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.switch_to.active_element
        outline = browser.execute_script(
            "const on = arguments[0].matches('input[type=radio]') ? arguments[0].nextElementSibling : arguments[0];"
            "return getComputedStyle(on).outlineStyle",
            active,
        )
        assert outline == "solid", active.get_attribute("outerHTML")
        reached.append(active.tag_name)
    assert {"summary", "input", "button", "div", "a"} <= set(reached)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "page", ["index.html", "audit.html", "method.html", "whatif.html", "zone.html", "parks/P21.html"]
)
def test_every_text_that_is_shown_has_contrast(browser: webdriver.Chrome, folder: Path, page: str, dark: bool) -> None:
    _look(browser, dark=dark)
    _open(browser, folder, page)
    seen, low = browser.execute_script(_LOW_CONTRAST)
    assert seen > 40
    assert low == []


def test_the_dark_switch_turns_the_light_and_is_kept(browser: webdriver.Chrome, folder: Path) -> None:
    def ground() -> str:
        return str(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))

    light = ground()
    switch = browser.find_element(By.ID, "theme")
    assert switch.get_attribute("aria-pressed") == "false"
    switch.click()
    assert switch.get_attribute("aria-pressed") == "true"
    dark = ground()
    assert dark != light
    _open(browser, folder, "audit.html")
    assert ground() == dark
    browser.find_element(By.ID, "theme").click()
    assert ground() == light


@pytest.mark.parametrize("width", [360, 640, 1280, 1920])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_body_never_scrolls_sideways(browser: webdriver.Chrome, folder: Path, width: int, language: str) -> None:
    _look(browser, width=width)
    for page in _PAGES:
        _open(browser, folder, page, f"?lang={language}")
        for summary in browser.find_elements(By.TAG_NAME, "summary")[:3]:
            browser.execute_script("arguments[0].parentElement.open = true", summary)
        wide = browser.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, (page, wide)


def test_paper_is_light_has_no_controls_and_fits_a4(browser: webdriver.Chrome, folder: Path) -> None:
    _look(browser, dark=True, media="print")
    assert not browser.find_element(By.ID, "filters").is_displayed()
    assert not browser.find_element(By.ID, "language").is_displayed()
    assert browser.find_element(By.CLASS_NAME, "identity").is_displayed()
    assert browser.execute_script("return getComputedStyle(document.body).color") == "rgb(20, 33, 39)"
    _look(browser)
    # A park prints 35 indicator cards, its causes and its next steps.
    for page, most in (("index.html", 3), ("parks/P01.html", 8)):
        _open(browser, folder, page)
        printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
        document = base64.b64decode(printed["data"])
        boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", document)
        assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}
        assert 1 <= len(boxes) <= most


def test_from_a_rank_to_the_row_of_a_file_in_three_clicks(browser: webdriver.Chrome) -> None:
    browser.find_element(By.LINK_TEXT, "金桥园").click()
    browser.find_element(By.CSS_SELECTOR, "a[href$='#B1']").click()
    card = browser.find_element(By.ID, "B1")
    card.find_element(By.TAG_NAME, "summary").click()
    row = card.find_element(By.CSS_SELECTOR, ".evidence tbody tr")
    assert "统计年报_2025_P02.xlsx · 第 3 行" in row.text


def _expected_trial(weights: dict[str, str]) -> list[tuple[str, int | None]]:
    """Ranks by the NumPy engine: published scores stand in as values between bounds 0 and 100."""
    record = site_record.make()
    document = json.loads(json.dumps(record.methodology))
    for one in document["indicators"]:
        one |= {"bounds": {"low": 0, "high": 100}, "direction": 1}
        if one["code"] in weights:
            one["weight"] = {"value": float(weights[one["code"]]), "mark": "assumed"}
    values = [(row["park_code"], row["indicator_code"], row["score"]) for row in record.indicator_scores]
    parks = scoring.score(document, values).parks
    return sorted(
        ((park.park_code, park.rank) for park in parks), key=lambda one: (one[1] is None, one[1] or 0, one[0])
    )


def _trial(chrome: webdriver.Chrome) -> list[tuple[str, int | None]]:
    shown = chrome.execute_script(
        "return [...document.querySelectorAll('#trial tbody tr')].map((row) =>"
        " [row.dataset.park, row.querySelector('[data-is=rank]').value])"
    )
    return sorted(
        ((park, int(rank) if rank.isdigit() else None) for park, rank in shown),
        key=lambda one: (one[1] is None, one[1] or 0, one[0]),
    )


def _slide(chrome: webdriver.Chrome, code: str, value: str) -> None:
    chrome.execute_script(
        "const input = document.getElementById('w-' + arguments[0]); input.value = arguments[1];"
        "input.dispatchEvent(new Event('input', {bubbles: true}))",
        code,
        value,
    )


def test_what_if_gives_the_ranks_of_the_command_for_the_same_weights(browser: webdriver.Chrome, folder: Path) -> None:
    _open(browser, folder, "whatif.html")
    assert not browser.find_element(By.ID, "unequal").is_displayed()
    published = [(row["park_code"], row["rank"]) for row in site_record.make().park_ranking]
    assert _trial(browser) == sorted(published, key=lambda one: (one[1] is None, one[1] or 0, one[0]))
    _slide(browser, "B2", "20")
    _slide(browser, "A", "3")
    command = browser.find_element(By.ID, "command").get_attribute("textContent")
    weights = dict(re.findall(r"--set weight\.([A-Z]\d+)=([\d.]+)", command))
    assert weights["B2"] == "20"
    assert sum(float(weights[code]) for code in weights if code.startswith("A")) == pytest.approx(3, abs=1e-5)
    changed = _expected_trial(weights)
    assert _trial(browser) == changed
    assert changed != _expected_trial({})
    browser.find_element(By.ID, "reset").click()
    assert _trial(browser) == _expected_trial({})


def test_what_if_says_that_it_is_not_official_and_moves_the_interval(browser: webdriver.Chrome, folder: Path) -> None:
    _open(browser, folder, "whatif.html")
    wait = WebDriverWait(browser, 30)

    def intervals() -> list[str]:
        wait.until(lambda chrome: chrome.find_elements(By.CSS_SELECTOR, "#trial tbody[data-settled=yes]"))
        cells = browser.find_elements(By.CSS_SELECTOR, "#trial [data-is=interval]")
        return [cell.get_attribute("value") for cell in cells]

    before = intervals()
    assert len(before) == 22
    assert before == intervals()
    _slide(browser, "C", "100")
    after = intervals()
    assert after != before
    for row in browser.find_elements(By.CSS_SELECTOR, "#trial tbody tr"):
        rank = row.find_element(By.CSS_SELECTOR, "[data-is=rank]").get_attribute("value")
        interval = row.find_element(By.CSS_SELECTOR, "[data-is=interval]").get_attribute("value")
        if rank.isdigit():
            low, high = map(int, interval.split("–"))
            assert low <= int(rank) <= high
    assert "不是正式结果" in browser.find_element(By.CSS_SELECTOR, "main .banner").text


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_no_violation_on_any_page(browser: webdriver.Chrome, folder: Path, language: str, dark: bool) -> None:
    distribution = importlib.metadata.distribution("axe-playwright-python")  # only carries the script
    axe = Path(str(distribution.locate_file("axe_playwright_python/axe.min.js"))).read_text("utf-8")
    _look(browser, dark=dark)
    violations = []
    for page in _PAGES:
        _open(browser, folder, page, f"?lang={language}")
        browser.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
        found = browser.execute_async_script(
            "const done = arguments[0]; axe.run({preload: false}).then(done, (error) => done({error: String(error)}))"
        )
        assert "error" not in found, (page, found)
        assert len(found["passes"]) > 20, page
        violations += [
            (page, one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found["violations"]
        ]
    assert violations == []


def test_the_map_leads_to_the_park(browser: webdriver.Chrome, folder: Path) -> None:
    _open(browser, folder, "zone.html")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".map a.park")) == 21
    browser.find_element(By.CSS_SELECTOR, ".map a.park[href^='parks/P02']").send_keys(Keys.ENTER)
    assert browser.find_element(By.TAG_NAME, "h1").text == "金桥园"
