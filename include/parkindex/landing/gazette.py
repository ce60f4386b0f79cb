"""Publications of the CNIPA gazette: the current XML (WIPO ST.96) and the generation of 2006 (WIPO ST.36).

The element names are those of CNIPA's own schemas (``zh_new.xsd``: PatentDocumentAndRelated; ``cn_old.dtd``:
cn-patent-document). A document is one record. The older files name a DTD that does not come with them: it is never
looked for. Entities beyond XML's own five are refused, since without their DTD they would silently lose text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO

import polars as pl
from lxml import etree

from parkindex.contracts import Contract
from parkindex.landing.archives import document, whole
from parkindex.landing.blocks import Block, Header, SetAside, map_header, without_blank
from parkindex.landing.refusal import FileRefusedError, refuse

_BLOCK_DOCUMENTS = 5_000
_INTERNAL_SUBSET = re.compile(r"<!DOCTYPE[^>\[]*\[", re.IGNORECASE)
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class Publication:
    """The bibliographic data that the contract of the gazette names, as delivered.

    Attributes:
        publication_number: Number without country and kind.
        kind: Kind code.
        publication_date: ``yyyyMMdd``.
        application_number: As filed ("202110991218.8").
        application_date: ``yyyyMMdd``.
        title: Title of the invention.
        first_applicant_name: Name of the first applicant.
        first_applicant_address: Address text of the first applicant.
        applicant_names: All applicants in document order, separated by ``；``.
        applicant_count: How many.
        ipc_main: First IPC symbol, blanks removed.
        ipc_codes: All IPC symbols in document order, separated by ``;``.
        schema_generation: ``st96`` or ``st36_2006``.
    """

    publication_number: str | None
    kind: str | None
    publication_date: str | None
    application_number: str | None
    application_date: str | None
    title: str | None
    first_applicant_name: str | None
    first_applicant_address: str | None
    applicant_names: str | None
    applicant_count: str | None
    ipc_main: str | None
    ipc_codes: str | None
    schema_generation: str


_COLUMNS = tuple(field.name for field in fields(Publication))


class _UnreadableError(Exception):
    """A document that is no publication; in an archive it is one record set aside."""


def read(contract: Contract, path: Path, *, notes: list[str]) -> Iterator[Block]:
    """Yield the publication of a single document.

    Raises:
        FileRefusedError: It cannot be read, or declares entities.
    """
    (table,) = contract.tables
    header = map_header(contract, table, _COLUMNS, "document", notes)
    try:
        publication = parse(document(path))
    except _UnreadableError as error:
        refuse("file.format", f"The document cannot be read: {error}")
    yield _block(contract, header, [(1, None, publication)], [])


def read_archive(
    contract: Contract, members: Iterator[tuple[int, str, IO[bytes]]], *, notes: list[str]
) -> Iterator[Block]:
    """Yield the publications of an archive of documents; one that cannot be read is set aside.

    Raises:
        FileRefusedError: A document declares entities: the whole file is refused, whoever else is in it.
    """
    (table,) = contract.tables
    header = map_header(contract, table, _COLUMNS, "document", notes)
    found: list[tuple[int, str | None, Publication]] = []
    set_aside: list[SetAside] = []
    for row, name, stream in members:
        try:
            found.append((row, name, parse(whole(stream))))
        except _UnreadableError as error:
            set_aside.append(SetAside(row, name, "document.unreadable", {"document": name}, str(error)))
        except FileRefusedError as error:
            refuse(error.rule, error.what, name)
        if len(found) + len(set_aside) >= _BLOCK_DOCUMENTS:
            yield _block(contract, header, found, set_aside)
            found, set_aside = [], []
    yield _block(contract, header, found, set_aside)


def parse(content: bytes) -> Publication:
    """Parse one gazette document.

    Raises:
        FileRefusedError: It declares or uses entities (``file.xml_forbidden``).
        _UnreadableError: It is not well formed, not UTF-8 or no gazette document.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _UnreadableError(f"it is not UTF-8 (byte {error.start})") from error
    if _INTERNAL_SUBSET.search(text) or _ENTITY.search(text):
        refuse("file.xml_forbidden", "The document declares entities or an internal DTD.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _UnreadableError(str(error)) from error
    if next(root.iter(etree.Entity), None) is not None:
        refuse("file.xml_forbidden", "The document uses entities that only its DTD could explain.")
    name = etree.QName(root).localname
    read_generation = _GENERATIONS.get(name)
    if read_generation is None:
        raise _UnreadableError(f"{name} is no element of the gazette")
    return read_generation(root)


def _block(
    contract: Contract, header: Header, found: list[tuple[int, str | None, Publication]], set_aside: list[SetAside]
) -> Block:
    (table,) = contract.tables
    cells = {
        str(place): [getattr(publication, name) for _, _, publication in found] for place, name in enumerate(_COLUMNS)
    }
    members_of = [member for _, member, _ in found]
    return without_blank(
        Block(
            table,
            header,
            pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String)),
            pl.Series([row for row, _, _ in found], dtype=pl.Int64),
            None if None in members_of else pl.Series(members_of, dtype=pl.String),
            set_aside=tuple(set_aside),
        )
    )


# ---------------------------------------------------------------------------------------------------- two generations


def _current(root: etree._Element) -> Publication:
    """Read PatentDocumentAndRelated (ST.96): names are matched without their namespaces, which vary by edition."""
    bibliographic = _first(root, "./*[local-name()='BibliographicData']")
    application = _first(bibliographic, "./*[local-name()='ApplicationReference'][@dataFormat='original']")
    if application is None:
        application = _first(bibliographic, "./*[local-name()='ApplicationReference']")
    books = _all(
        bibliographic,
        "./*[local-name()='Parties']/*[local-name()='ApplicantDetails']/*[local-name()='Applicant']"
        "/*[local-name()='AddressBook'][not(@lang) or @lang='zh']",
    )
    return _publication(
        number=root.get("docNumber"),
        kind=root.get("kind"),
        published=root.get("datePublication"),
        application=_text(application, "./*[local-name()='DocumentID']/*[local-name()='DocNumber']"),
        filed=_text(application, "./*[local-name()='DocumentID']/*[local-name()='Date']"),
        title=_text(bibliographic, "./*[local-name()='InventionTitle'][not(@lang) or @lang='zh']"),
        names=[_text(book, "./*[local-name()='Name' or local-name()='OrganizationName']") for book in books],
        address=_text(books[0], "./*[local-name()='Address']/*[local-name()='Text']") if books else None,
        ipc=[
            _whole(text)
            for text in _all(
                bibliographic,
                "./*[local-name()='ClassificationIPCRDetails']/*[local-name()='ClassificationIPCR']/*[local-name()='Text']",
            )
        ],
        generation="st96",
    )


def _of_2006(root: etree._Element) -> Publication:
    """Read cn-patent-document (ST.36)."""
    bibliographic = _first(root, "./cn-bibliographic-data")
    published = _first(bibliographic, "./cn-publication-reference/document-id")
    application = _first(bibliographic, "./application-reference/document-id")
    books = _all(bibliographic, "./cn-parties/cn-applicants/cn-applicant/addressbook")
    return _publication(
        number=_text(published, "./doc-number"),
        kind=_text(published, "./kind"),
        published=_text(published, "./date"),
        application=_text(application, "./doc-number"),
        filed=_text(application, "./date"),
        title=_text(bibliographic, "./invention-title"),
        names=[_text(book, "./name|./orgname") for book in books],
        address=_text(books[0], "./address/text") if books else None,
        ipc=[_whole(text) for text in _all(bibliographic, "./classifications-ipcr/classification-ipcr/text")],
        generation="st36_2006",
    )


_GENERATIONS: dict[str, Callable[[etree._Element], Publication]] = {
    "PatentDocumentAndRelated": _current,
    "cn-patent-document": _of_2006,
}


def _publication(
    *,
    number: str | None,
    kind: str | None,
    published: str | None,
    application: str | None,
    filed: str | None,
    title: str | None,
    names: list[str | None],
    address: str | None,
    ipc: list[str],
    generation: str,
) -> Publication:
    named = [name for name in names if name]
    symbols = [symbol for symbol in (_BLANKS.sub("", code) for code in ipc) if symbol]
    return Publication(
        publication_number=number,
        kind=kind,
        publication_date=published,
        application_number=application,
        application_date=filed,
        title=title,
        first_applicant_name=named[0] if named else None,
        first_applicant_address=address,
        applicant_names="；".join(named) or None,
        applicant_count=str(len(named)) if named else None,
        ipc_main=symbols[0] if symbols else None,
        ipc_codes=";".join(symbols) or None,
        schema_generation=generation,
    )


def _all(node: etree._Element | None, path: str) -> list[etree._Element]:
    found = [] if node is None else node.xpath(path)
    return [item for item in found if isinstance(item, etree._Element)] if isinstance(found, list) else []


def _first(node: etree._Element | None, path: str) -> etree._Element | None:
    return next(iter(_all(node, path)), None)


def _whole(node: etree._Element) -> str:
    """Return all text in an element: titles hold sub- and superscripts."""
    return _BLANKS.sub(" ", "".join(str(part) for part in node.itertext())).strip()


def _text(node: etree._Element | None, path: str) -> str | None:
    found = _first(node, path)
    return None if found is None else _whole(found)
