"""Write the pages of a release: templates, one style sheet and one script, all of it inside each page.

A page is one file that opens from a disk or a stick. Its content security policy lets no request leave the place it is
kept at and runs no script but ours, whatever stands in a name. Beside the pages of a release stands :data:`NOTICE`, an
empty style sheet: the publisher fills it when another release takes this one's place, so that the page says so without
a byte of it being changed.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from parkindex.site import charts, check, numbers, palette, trial, view, words, zone
from parkindex.site.record import ReleaseRecord

_TEMPLATES = Path(__file__).parent / "templates"
_HASH_SHOWN = 12
NOTICE = "notice.css"


def render(record: ReleaseRecord, out: Path) -> list[Path]:
    """Write the pages of a record into a folder; the same record gives the same bytes.

    Args:
        record: What is published, or previewed.
        out: Folder of the bundle; made when it is not there.

    Returns:
        The files written: ``index.html``, ``method.html``, ``audit.html``, ``whatif.html``,
        ``zone.html`` (when the record tells of the zone), ``parks/<park_code>.html``, in that order.

    Raises:
        BadInputError: The record does not hold together, see :func:`parkindex.site.check.require_whole`.
    """
    check.require_whole(record)
    site = view.build(record)
    pages: list[tuple[str, str, dict[str, Any]]] = [
        (f"{name}.html", f"{name}.html.j2", {"page": name, "root": ""}) for name in ("index", "method", "audit")
    ]
    pages += [
        (f"parks/{park.code}.html", "park.html.j2", {"page": "park", "root": "../", "park": park})
        for park in site.parks
    ]
    pages.insert(3, ("whatif.html", "whatif.html.j2", {"page": "whatif", "root": "", "model": trial.build(site)}))
    if (told := zone.build(site)) is not None:
        pages.insert(4, ("zone.html", "zone.html.j2", {"page": "zone", "root": "", "zone": told}))
    style, every_page = _style(record), _script("page.js")
    written = []
    for path, template, values in pages:
        script = every_page + _script("whatif.js") if values["page"] == "whatif" else every_page
        text = (
            _environment()
            .get_template(template)
            .render(
                site=site,
                record=record,
                style=Markup(style),  # noqa: S704 - our own file; what comes from the record is escaped in _style
                script=Markup(script),  # noqa: S704 - our own file
                policy=_policy(style, script),
                **values,
            )
        )
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        written.append(target)
    if not record.is_preview:
        (out / NOTICE).write_bytes(b"")
    return written


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        t=words.both,
        name=words.name,
        word=words.word,
        unit=words.unit,
        words=words,
        number=numbers.number,
        whole=numbers.whole,
        share=numbers.share,
        value_of=numbers.value_of,
        exact=numbers.exact,
        exact_number=view.exact_number,
        instant=numbers.instant,
        charts=charts,
        short=_short,
        AREA_DECIMALS=numbers.AREA_DECIMALS,
        INDICATOR_DECIMALS=numbers.INDICATOR_DECIMALS,
        POINT_DECIMALS=numbers.POINT_DECIMALS,
    )
    return environment


def _short(sha256: str) -> str:
    return sha256[:_HASH_SHOWN]


def _style(record: ReleaseRecord) -> str:
    light = "".join(f"--{token}:{colours[0]};" for token, colours in palette.TOKENS.items())
    dark = "".join(f"--{token}:{colours[1]};" for token, colours in palette.TOKENS.items())
    label = "  ".join(
        (
            "PREVIEW 预览" if record.is_preview else "",
            "SYNTHETIC 合成数据" if record.is_synthetic else "",
            record.release_id,
            _short(record.chain_sha256 or record.content_sha256),
        )
    ).strip()
    return "\n".join(
        (
            f":root{{color-scheme:light;{light}}}",
            f"@media screen and (prefers-color-scheme:dark)"
            f"{{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}",
            f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}",
            f"@page{{@bottom-left{{content:{_css_string(label)}}}}}",
            (_TEMPLATES / "page.css").read_text(encoding="utf-8"),
        )
    )


def _script(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _css_string(text: str) -> str:
    """Return a text as a CSS string: everything that is not a letter, digit or blank as its code point."""
    return '"' + "".join(char if char.isalnum() or char == " " else f"\\{ord(char):06x}" for char in text) + '"'


def _policy(style: str, script: str) -> str:
    style_hash, script_hash = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style_hash}' 'self' file:; script-src 'sha256-{script_hash}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
