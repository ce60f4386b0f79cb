"""Verbs about rules: methodology check, show, diff, new, freeze."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from parkindex import pipeline
from parkindex import settings as settings_module
from parkindex.cli.console import Console, verb
from parkindex.errors import ServiceDownError, UsageError

if TYPE_CHECKING:
    from parkindex.methodology import Methodology
    from parkindex.scoring.edition import Value
    from parkindex.scoring.rules_effect import Effects

_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=settings_module.METHODOLOGY_DIR,
    help="Folder of the editions (default: the project's).",
)


@click.group()
def methodology() -> None:
    """Methodology editions: check, show, diff, effects, new, freeze."""


@methodology.command("check")
@click.argument("edition", type=int, required=False)
@_FOLDER
@verb
def methodology_check(console: Console, edition: int | None, folder: Path) -> None:
    """Validate an edition's methodology, or all of them; say whether each is frozen.

    Rules that were signed and then changed need a new version.
    """
    from parkindex import methodology as rules

    checked = [rules.load(one, folder) for one in ([edition] if edition else rules.editions(folder))]
    for one in checked:
        rules.require_new_version(one, folder)
    rows = [
        {
            "edition": one.edition,
            "version": one.document["version"],
            "state": rules.state(one, folder),
            "methodology_sha256": one.sha256,
        }
        for one in checked
    ]
    console.result({"editions": rows})
    if not console.as_json:
        console.table(
            rows, ["edition", "version", "state", "methodology_sha256"], ("没有版本。", "There are no editions.")
        )


@methodology.command("show")
@click.argument("edition", type=int)
@_FOLDER
@verb
def methodology_show(console: Console, edition: int, folder: Path) -> None:
    """Print an edition's resolved methodology, whole."""
    from parkindex import methodology as rules

    document = rules.load(edition, folder).document
    text = json.dumps(document, ensure_ascii=False, indent=2)
    console.result(document, text, text)


@methodology.command("diff")
@click.argument("first")
@click.argument("second")
@click.option("--values-of", type=int, help="Edition whose published values are scored (default: the second's).")
@verb
def methodology_diff(console: Console, first: str, second: str, values_of: int | None) -> None:
    """Compare two methodologies rule by rule, with the effect on every park.

    FIRST and SECOND are editions (2024) or folders of one (path/to/2024). The effect is computed from the values of the
    current release of an edition; without one, only the rules are compared.
    """
    from parkindex import methodology as rules

    one, other = _found(first), _found(second)
    found = rules.differences(one.document, other.document)
    effects, note = _effects(one, other, values_of)
    document = {
        "first": {"edition": one.edition, "methodology_sha256": one.sha256},
        "second": {"edition": other.edition, "methodology_sha256": other.sha256},
        "differences": [asdict(difference) for difference in found],
        "effects": asdict(effects) if effects else None,
        "note": note,
    }
    console.result(document)
    if not console.as_json:
        rows = [
            {
                "kind": difference.kind,
                "place": difference.place,
                "before": _brief(difference.before),
                "after": _brief(difference.after),
            }
            for difference in found
        ]
        console.table(rows, ["kind", "place", "before", "after"], ("没有差异。", "They are equal."))
        _print_effects(console, effects, note)


def _effects(one: Methodology, other: Methodology, values_of: int | None) -> tuple[Effects | None, str | None]:
    """Score the values of a release by both; or say why not."""
    from sqlalchemy.exc import OperationalError

    from parkindex.scoring import published, rules_effect

    wanted = (values_of,) if values_of else (other.edition, one.edition)
    try:
        with pipeline.engine_of(settings_module.load()).connect() as connection:
            for edition in wanted:
                release = published.current(connection, edition)
                if release is not None:
                    return rules_effect.compare(one.document, other.document, release), None
    except (OperationalError, ServiceDownError) as error:
        return None, f"the warehouse does not answer ({str(getattr(error, 'orig', error)).strip().splitlines()[0]})"
    return None, f"nothing of edition {' or '.join(map(str, wanted))} is published"


def _found(name: str) -> Methodology:
    """Load an edition by its year or by its folder."""
    from parkindex import methodology as rules

    if name.isdigit() and len(name) == 4:
        return rules.load(int(name))
    path = Path(name).resolve()
    if not path.name.isdigit():
        raise UsageError(
            f"{name!r} is neither an edition nor a folder of one.",
            why="a folder is named after its edition",
            next_step="parkindex methodology diff 2024 path/to/2025",
        )
    return rules.load(int(path.name), path.parent)


def _brief(value: object) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"


def _rounded(row: dict[str, object]) -> dict[str, object]:
    return {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}


@methodology.command("effects")
@click.argument("edition", type=int)
@click.option("--sample", "seed", type=click.IntRange(0), help="Take the values of the smallest sample world of SEED.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the pages assumptions.md and assumptions.zh-CN.md into this folder.",
)
@_FOLDER
@verb
def methodology_effects(console: Console, edition: int, seed: int | None, out: Path | None, folder: Path) -> None:
    """Say what each assumption decides: how many parks change rank if it were otherwise.

    The values are those of the edition's current release, or of a synthetic world (--sample).
    """
    from parkindex import methodology as rules
    from parkindex.scoring import assumptions, assumptions_page

    loaded = rules.load(edition, folder)
    document, values, values_of = _values_for(loaded, seed)
    found = assumptions.effects(document, values)
    command = f"parkindex methodology effects {edition}" + ("" if seed is None else f" --sample {seed}")
    written = []
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for language, name in assumptions_page.FILES.items():
            page = assumptions_page.render(
                document, loaded.sha256, found, values_of, f"{command} --out {out.as_posix()}", language
            )
            (out / name).write_text(page, "utf-8")
            written.append(str(out / name))
    console.result({"edition": edition, "values_of": values_of[1], "written": written, **asdict(found)})
    if not console.as_json:
        columns = ["assumption", "otherwise", "parks_moved", "largest_shift", "tiers_changed"]
        console.table([asdict(one) for one in found.rules], columns, ("没有规则。", "There are no rules."))
        columns = ["indicator_code", "weight", "bounds", "left_out", "largest_shift"]
        console.table([asdict(one) for one in found.indicators], columns, ("没有指标。", "There are no indicators."))
        console.say(f"数值取自{values_of[0]}", f"Values of {values_of[1]}")


def _values_for(loaded: Methodology, seed: int | None) -> tuple[dict[str, Any], list[Value], tuple[str, str]]:
    """Return a methodology with values that fit it: of a sample world, or of the edition's current release."""
    from parkindex.scoring import published

    if seed is not None:
        from parkindex.sample import truth, world
        from parkindex.sample.sizes import SIZES

        true = truth.compute(world.make(loaded.edition, seed, SIZES["tiny"]))[str(loaded.edition)]
        values: list[Value] = [(park, code, value) for park, row in true.items() for code, value in row.items()]
        document, values, _ = published.scorable(loaded.document, values)
        return (
            document,
            values,
            (f"合成的样例世界（种子 {seed}，规模 tiny）", f"a synthetic world (seed {seed}, size tiny)"),
        )
    with pipeline.engine_of(settings_module.load()).connect() as connection:
        release = published.require_current(connection, loaded.edition, "methodology.effects")
    document, values, _ = published.scorable(loaded.document, release.values)
    return document, values, (f"发布 {release.release_id}", f"release {release.release_id}")


@methodology.command("new")
@click.argument("edition", type=int)
@click.option("--from", "base", type=int, required=True, help="Edition whose rules it starts with.")
@_FOLDER
@verb
def methodology_new(console: Console, edition: int, base: int, folder: Path) -> None:
    """Start the next edition's rules from an earlier one's."""
    from parkindex import methodology as rules

    path = rules.start(edition, base, folder)
    console.result(
        {"edition": edition, "based_on": base, "file": str(path)},
        f"已写入 {path}\n下一步：修改它，再 parkindex methodology diff {base} {edition}",
        f"Wrote {path}\nnext: change it, then parkindex methodology diff {base} {edition}",
    )


@methodology.command("freeze")
@click.argument("edition", type=int)
@click.option("--as", "name", required=True, help="Who signs.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Day of the signature.")
@click.option("--reason", required=True, help="Why this version was made.")
@click.option("--demo", is_flag=True, help="A stand-in of the sample signs: printed as such.")
@_FOLDER
@verb
def methodology_freeze(
    console: Console, edition: int, name: str, day: datetime, reason: str, demo: bool, folder: Path
) -> None:
    """Sign an edition's rules: from that day they are not changed, except by a new version with a reason."""
    from parkindex import methodology as rules

    earlier = rules.signoffs(edition, folder)
    made = rules.freeze(edition, name, day.date(), reason, is_demo=demo, folder=folder)
    effects: Effects | None = None
    note: str | None = None
    if earlier and earlier[-1].methodology_sha256 != made.methodology_sha256:
        effects, note = _effects_since(earlier[-1].methodology_sha256, rules.load(edition, folder))
    console.result(
        {**asdict(made), "effects": asdict(effects) if effects else None, "note": note},
        f"已冻结 {edition} 年度方法第 {made.version} 版：{made.methodology_sha256}",
        f"Frozen: edition {edition}, version {made.version}, {made.methodology_sha256}",
    )
    if not console.as_json and (effects or note):
        _print_effects(console, effects, note)


def _effects_since(signed_sha256: str, now: Methodology) -> tuple[Effects | None, str | None]:
    """Compare rules with those of the same edition that were signed before, as the warehouse keeps them."""
    from sqlalchemy import select
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from parkindex.ledger import tables
    from parkindex.scoring import published, rules_effect

    try:
        with pipeline.engine_of(settings_module.load()).connect() as connection:
            known = tables.methodology_editions.c
            before: Any = connection.execute(
                select(known.document).where(known.methodology_sha256 == signed_sha256)
            ).scalar_one_or_none()
            if before is None:
                return None, "nothing was built by the version before, so the warehouse does not have it"
            release = published.current(connection, now.edition)
            if release is None:
                return None, f"nothing of edition {now.edition} is published"
            return rules_effect.compare(before, now.document, release), None
    except (OperationalError, ProgrammingError, ServiceDownError) as error:
        return None, f"the warehouse does not answer ({str(getattr(error, 'orig', error)).strip().splitlines()[0]})"


def _print_effects(console: Console, effects: Effects | None, note: str | None) -> None:
    """Print the effect on every park, or why there is none."""
    if effects is None:
        console.say(f"未计算对园区的影响：{note}", f"The effect on parks was not computed: {note}")
        return
    columns = ["park_code", "rank_before", "rank_after", "rank_change", "score_before", "score_after"]
    console.table([_rounded(asdict(park)) for park in effects.parks], columns, ("没有园区。", "No parks."))
    moved = sum(bool(park.rank_change) for park in effects.parks)
    console.say(
        f"按 {effects.release_id} 的已发布数值：{moved} 个园区的名次会变",
        f"By the values of {effects.release_id}: {moved} parks change rank",
    )
