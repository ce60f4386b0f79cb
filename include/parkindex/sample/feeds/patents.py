"""patents: ZIP archives of CNIPA gazette documents in the current format: the older grants, then one each half year."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from parkindex.sample import facts, innovation
from parkindex.sample.days import date_of, day, first_day
from parkindex.sample.feeds.registry import address
from parkindex.sample.files import DUPLICATE, SYNTHETIC, Noise, Planted, mixed, positions, printed, sent
from parkindex.sample.innovation import KINDS, NOBODY
from parkindex.sample.kinship import near_miss
from parkindex.sample.links import NEAR_MISS, STRANGER, Mentions
from parkindex.sample.population import Ints
from parkindex.sample.world import World

FEED = "patents"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write(world: World, folder: Path, noise: Noise, mentions: Mentions, rng: np.random.Generator) -> dict[str, int]:
    """Write every archive. Returns documents per file. A few documents name a stranger and are delivered again."""
    counts = {}
    patents = world.patents
    halves = [(year, half) for year in range(world.edition - 3, world.edition + 1) for half in (1, 2)]
    waiting = np.zeros(0, dtype=np.int64)
    previous = ""
    stock = np.flatnonzero(patents.published < first_day(world.edition - 3))
    if len(stock):
        file = f"synthetic-patents-stock-{world.edition - 4}.zip"
        path = folder / FEED / file
        counts[file] = _archive(
            path, mixed(_documents(world, stock, set(), mentions, rng), _planted(world, stock, rng)), noise
        )
        sent(path, date(world.edition - 3, 1, 9))
    for year, half in halves:
        low = day(date(year, 1 if half == 1 else 7, 1))
        high = day(date(year, 7, 1) if half == 1 else date(year + 1, 1, 1))
        own = np.flatnonzero((patents.published >= low) & (patents.published < high))
        last = (year, half) == halves[-1]
        wrong = own[(rng.uniform(0, 1, len(own)) < (0 if last else 0.006)) & (patents.enterprise[own] != NOBODY)]
        file = f"synthetic-patents-{year}H{half}.zip"
        for row in waiting.tolist():
            key = f"{patents.number[row]} {KINDS[patents.kind[row]]}"
            noise.supersede(FEED, previous, key, file, "a stranger's name, corrected in the next archive")
        rows = np.concatenate([waiting, own])
        previous, waiting = file, wrong
        if len(rows) == 0:
            continue
        documents = mixed(_documents(world, rows, set(wrong.tolist()), mentions, rng), _planted(world, rows, rng))
        path = folder / FEED / file
        counts[file] = _archive(path, documents, noise)
        sent(path, date_of(high + 8))
    return counts


def _archive(path: Path, documents: Iterator[tuple[str, Planted[str] | None]], noise: Noise) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.comment = SYNTHETIC.encode()
        for count, (document, planted) in enumerate(documents, start=1):
            archive.writestr(zipfile.ZipInfo(f"CN{count:07d}.XML", _ZIP_TIME), document, zipfile.ZIP_DEFLATED)
            if planted:
                noise.plant(FEED, path.name, "", count, planted)
    return count


def _stranger(world: World, row: int, mentions: Mentions, *, is_wrong: bool) -> str:
    """Return an applicant whom the registry does not know; every fourth is all but the name of somebody it knows."""
    if row % 4 == 0 and not is_wrong:
        name = near_miss(world.population.names, mentions.known(world), row)
        mentions.say(FEED, name, None, NEAR_MISS)
        return name
    name = facts.STRANGERS[row % len(facts.STRANGERS)]
    mentions.say(FEED, name, None, STRANGER)
    return name


def _documents(
    world: World, rows: Ints, wrong: set[int], mentions: Mentions, rng: np.random.Generator
) -> Iterator[str]:
    seen: set[int] = set()
    for row in rows.tolist():
        # A row that waited is delivered right now; the wrong ones of this archive are delivered wrong first.
        yield _document(world, row, mentions, rng, is_wrong=row in wrong and row not in seen)
        seen.add(row)


def _document(world: World, row: int, mentions: Mentions, rng: np.random.Generator, *, is_wrong: bool = False) -> str:
    patents, people, versions = world.patents, world.population, world.population.versions
    e = int(patents.enterprise[row])
    if e == NOBODY or is_wrong:
        first, place = _stranger(world, row, mentions, is_wrong=is_wrong), "上海市虚构路1号"
    else:
        name = int(patents.name[row])
        first = printed(people.names.text[name], rng, exactly=bool(world.crowded[name]))
        mentions.of(world, FEED, first, name)
        at = versions.first[e]
        cell = int(versions.cell[at])
        district = world.land.cells[cell].district if cell >= 0 else "N/A"
        place = f"200000 {address(district, int(versions.longitude[at]), int(versions.latitude[at]))}"
    applicants = [(first, place)]
    other = int(patents.other[row])
    if other != NOBODY:
        name = int(versions.name[versions.first[other]])
        applicants.append((people.names.text[name], "上海市"))
        mentions.of(world, FEED, people.names.text[name], name)
    subject = int(patents.subject[row])
    return render(
        number=patents.number[row],
        kind=KINDS[patents.kind[row]],
        published=f"{date_of(patents.published[row]):%Y%m%d}",
        application=patents.application[row],
        filed=f"{date_of(patents.filed[row]):%Y%m%d}",
        title=f"一种{facts.TRADE_WORDS[subject][row % 5]}{facts.TITLES[row % len(facts.TITLES)]}",
        applicants=applicants,
        classes=innovation.classes(patents, row),
    )


def render(
    *,
    number: str,
    kind: str,
    published: str,
    application: str,
    filed: str,
    title: str,
    applicants: list[tuple[str, str]],
    classes: tuple[str, ...],
) -> str:
    """Return one publication in the gazette's current format (PatentDocumentAndRelated, xsdVersion V2.2.1)."""
    standard = f"10{application[:4]}00{application[5:12]}"
    party = "".join(
        f"""
        <business:Applicant sequence="{k}" appType="applicant" dataFormat="original" sourceDB="national office" \
lang="zh" creator="03" processingType="original">
          <base:AddressBook lang="zh">
            <base:Name>{escape(name)}</base:Name>
            <base:Address>
              <base:AddressLine>0</base:AddressLine>
              <base:Street>0</base:Street>
              <base:City>0</base:City>
              <base:Province>0</base:Province>
              <base:PostCode>0</base:PostCode>
              <base:WIPOST3Code>CN</base:WIPOST3Code>
              <base:Text>{escape(place)}</base:Text>
            </base:Address>
          </base:AddressBook>
          <business:OrganizationCode createDate="00000000" creator="00">0000000000</business:OrganizationCode>
        </business:Applicant>"""
        for k, (name, place) in enumerate(applicants, start=1)
    )
    ipc = "".join(
        f"""
      <business:ClassificationIPCR sequence="{k}">
        <business:IPCVersionDate>20060101</business:IPCVersionDate>
        <base:Text>{text}</base:Text>
      </business:ClassificationIPCR>"""
        for k, text in enumerate(classes, start=1)
    )
    publication = "".join(
        f"""
    <business:PublicationReference dataFormat="{form}" sequence="1">
      <base:DocumentID>
        <base:WIPOST3Code>CN</base:WIPOST3Code>
        <base:DocNumber>{number}</base:DocNumber>
        <base:Kind>{kind}</base:Kind>
        <base:Date>{published}</base:Date>
      </base:DocumentID>
    </business:PublicationReference>"""
        for form in ("original", "standard")
    )
    reference = "".join(
        f"""
    <business:ApplicationReference applType="10" dataFormat="{form}" sequence="1">
      <base:DocumentID>
        <base:WIPOST3Code>CN</base:WIPOST3Code>
        <base:DocNumber>{written}</base:DocNumber>
        <base:Date>{filed}</base:Date>
      </base:DocumentID>
    </business:ApplicationReference>"""
        for form, written in (("original", application), ("standard", standard))
    )
    return f"""<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!-- {SYNTHETIC} -->
<business:PatentDocumentAndRelated xmlns:base="http://www.sipo.gov.cn/XMLSchema/base" \
xmlns:business="http://www.sipo.gov.cn/XMLSchema/business" xsdVersion="V2.2.1" \
file="CN{standard}CN0000{number}{kind}.XML" dateProduced="{published}" status="C" lang="zh" country="CN" \
docNumber="{number}" kind="{kind}" datePublication="{published}">
  <business:BibliographicData>{publication}{reference}
    <business:ClassificationIPCRDetails creator="03" processingType="original">{ipc}
    </business:ClassificationIPCRDetails>
    <business:InventionTitle lang="zh" dataFormat="original" sourceDB="national office" \
processingType="original" creator="03">{escape(title)}</business:InventionTitle>
    <business:Parties>
      <business:ApplicantDetails representative="1">{party}
      </business:ApplicantDetails>
    </business:Parties>
  </business:BibliographicData>
</business:PatentDocumentAndRelated>
"""


def _planted(world: World, rows: Ints, rng: np.random.Generator) -> list[tuple[int, Planted[str]]]:
    published = f"{date_of(world.patents.published[rows[-1]]):%Y%m%d}"
    planted: list[tuple[int, Planted[str]]] = []
    for k, position in enumerate(positions(len(rows), max(3, len(rows) // 150), rng)):
        facts_of = {
            "number": str(990_000_000 + int(rows[0]) * 10 + k % 10 + 10 * k),
            "kind": "B",
            "published": published,
            "application": "202010000001.1",
            "filed": "20200110",
            "title": "一种虚构装置",
            "applicants": [("虚澜昱檀科技(未登记)有限公司", "上海市")],
            "classes": ("G06N    3/08    (2006.01)",),
        }
        rule, column, change = (
            (DUPLICATE, "", {}),
            ("patent.check_digit", "application_number", {"application": "202010000001.7"}),
            ("value.required", "title", {"title": ""}),
            ("value.required", "publication_date", {"published": "00000000"}),
            ("value.enum", "kind", {"kind": "Z"}),
            ("value.pattern", "publication_number", {"number": f"X{k}"}),
            ("document.unreadable", "", {}),
        )[k % 7]
        if rule == DUPLICATE:
            planted.append((position, Planted(None, DUPLICATE, "", "the document above once more")))
            continue
        document = render(**{**facts_of, **change})  # type: ignore[arg-type]
        if rule == "document.unreadable":
            document = document[: len(document) // 2]
        planted.append((position, Planted(document, rule, column, f"{column or 'document'} broken")))
    return planted
