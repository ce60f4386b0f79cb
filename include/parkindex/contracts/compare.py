"""What changed between two versions of a contract, and whether those who rely on it can go on.

A change breaks when a file that was good before is refused or its rows rejected, when a reader finds a column gone or
meaning something else, or when the provider must act. A breaking change needs a new major version, hence new raw
tables.
"""

from __future__ import annotations

from dataclasses import dataclass

from parkindex.contracts.model import Column, Contract, RejectLimit, Server, Table


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        what: The difference, one sentence.
        breaking: Whether it needs a new major version.
        why: Who is hurt, or why nobody is.
    """

    what: str
    breaking: bool
    why: str


# Attribute of a column → (its words, what a change of it does to readers and providers).
_MEANING = {
    "logical_type": "readers get another type",
    "physical_type": "readers get another type",
    "key_position": "one row means something else",
    "unit": "the same number means another amount",
    "datum": "the same coordinate means another place",
    "match_key": "joins on the key find other rows",
    "parses_money": "columns of amount and currency come or go",
    "default_from": "absent values mean something else",
    "date_format": "dates that were read are rejected",
}
_RULES = {
    "minimum": "lower",
    "exclusive_minimum": "lower",
    "min_length": "lower",
    "maximum": "upper",
    "exclusive_maximum": "upper",
    "max_length": "upper",
}
_DRIFT = {
    "on_unknown_column": "onUnknownColumn",
    "on_type_mismatch": "onTypeMismatch",
    "on_unknown_code": "onUnknownCode",
}
_STRICTER = ("evolve", "quarantine", "freeze")
_HOLDING = {"reject_limit": "rejectLimit", "delivery": "delivery", "max_shrink_share": "maxShrinkShare"}
_ANY_CHANGE_TIGHTENS = ("pattern", "check", "at_most", "at_least", "not_after", "currency_date")


def diff(old: Contract, new: Contract) -> list[Change]:
    """Compare two versions of a contract.

    Returns:
        Every difference that matters to a provider or a reader, in contract order; empty when there is none. A breaking
        set of changes without a new major version is itself the last entry.
    """
    changes: list[Change] = []
    if old.feed != new.feed:
        changes.append(Change(f"feed {old.feed} → {new.feed}", True, "it is another feed"))
    changes += _servers(old.servers, new.servers)
    before, after = ({table.name: table for table in one.tables} for one in (old, new))
    changes += [Change(f"table {name} removed", True, "its readers lose it") for name in before if name not in after]
    for name, table in after.items():
        if name in before:
            changes += _table(before[name], table, moved=old.major != new.major)
        else:
            changes.append(Change(f"table {name} added", True, "files without it are refused"))
    changes += _reading(old, new)
    if any(change.breaking for change in changes) and old.major == new.major:
        changes.append(
            Change(
                f"version {old.version} → {new.version}",
                True,
                f"breaking changes need version {old.major + 1}.0.0 and raw tables _v{old.major + 1}",
            )
        )
    return changes


def _servers(old: tuple[Server, ...], new: tuple[Server, ...]) -> list[Change]:
    before, after = ({server.name: server for server in servers} for servers in (old, new))
    changes = [
        Change(f"server {name} removed", True, "its files are no longer taken") for name in before if name not in after
    ]
    changes += [
        Change(f"server {name} added", False, "one more way to deliver") for name in after if name not in before
    ]
    changes += [
        Change(f"server {name} changed", True, "files of the former form are refused")
        for name in after
        if name in before and before[name] != after[name]
    ]
    common_before = [server.name for server in old if server.name in after]
    common_after = [server.name for server in new if server.name in before]
    if common_before != common_after:
        changes.append(Change("order of servers changed", True, "the first that fits a file name is taken"))
    return changes


def _reading(old: Contract, new: Contract) -> list[Change]:
    changes = []
    if old.null_tokens != new.null_tokens:
        changes.append(Change("nullTokens changed", True, "the same cell is a value before and none after"))
    for attribute, name in _DRIFT.items():
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            tighter = _STRICTER.index(after) > _STRICTER.index(before)
            why = "what was taken is set aside or refused" if tighter else "more is taken"
            changes.append(Change(f"{name} {before} → {after}", tighter, why))
    changes += _holding(old, new)
    if old.encoding_sentinels != new.encoding_sentinels:
        lost = set(old.encoding_sentinels) - set(new.encoding_sentinels)
        fewer = bool(new.encoding_sentinels) and bool(lost or not old.encoding_sentinels)
        changes.append(Change("encodingSentinels changed", fewer, "headers without one of them are refused"))
    if (old.frequency_months, old.latency_days) != (new.frequency_months, new.latency_days):
        what = f"delivery {old.frequency} + {old.latency_days} d → {new.frequency} + {new.latency_days} d"
        sooner = new.frequency_months < old.frequency_months or new.latency_days < old.latency_days
        changes.append(Change(what, sooner, "the provider must deliver sooner" if sooner else "more time to deliver"))
    if old.owner != new.owner:
        changes.append(Change(f"owner {old.owner} → {new.owner}", False, "another team answers for the feed"))
    return changes


def _holding(old: Contract, new: Contract) -> list[Change]:
    """Compare what holds a file: one that is held can still be let in, so nothing breaks."""
    changes = []
    for attribute, name in _HOLDING.items():
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            why = "other files are held until somebody lets them in"
            changes.append(Change(f"{name} {_said(before)} → {_said(after)}", False, why))
    return changes


def _said(value: object) -> str:
    if isinstance(value, RejectLimit):
        parts = {"count": value.count, "share": value.share}
        return ", ".join(f"{name} {part}" for name, part in parts.items() if part is not None)
    return "none" if value is None else str(value)


def _table(old: Table, new: Table, *, moved: bool) -> list[Change]:
    changes = []
    if old.raw_table != new.raw_table:
        what = f"{old.name}: physicalName {old.raw_table} → {new.raw_table}"
        changes.append(Change(what, not moved, "readers of the raw table lose it"))
    for attribute in ("sheet", "sheets", "grain", "continuation_columns", "withdrawal"):
        if getattr(old, attribute) != getattr(new, attribute):
            words = attribute.replace("_", " ")
            changes.append(Change(f"{old.name}: {words} changed", True, "the same file means other rows"))
    before, after = ({column.name: column for column in table.columns} for table in (old, new))
    for name in before:
        if name not in after:
            changes.append(Change(f"{old.name}.{name} removed", True, "its readers lose it"))
    for name, column in after.items():
        if name in before:
            changes += _column(old.name, before[name], column)
        else:
            why = "files without it are refused" if column.required else "files without it are still good"
            changes.append(Change(f"{new.name}.{name} added", column.required, why))
    return changes


def _column(table: str, old: Column, new: Column) -> list[Change]:
    label = f"{table}.{new.name}"
    changes = []
    for attribute, why in _MEANING.items():
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            changes.append(Change(f"{label}: {attribute} {before} → {after}", True, why))
    if old.required != new.required:
        why = "rows without a value are rejected" if new.required else "readers must expect null"
        changes.append(Change(f"{label}: required {old.required} → {new.required}", True, why))
    for attribute, side in _RULES.items():
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            tighter = _tightens(before, after, side)
            why = "rows that were good are rejected" if tighter else "more rows are good"
            changes.append(Change(f"{label}: {attribute} {before} → {after}", tighter, why))
    for attribute in _ANY_CHANGE_TIGHTENS:
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            tighter = after is not None
            why = "rows that were good may be rejected" if tighter else "more rows are good"
            changes.append(Change(f"{label}: {attribute} {before} → {after}", tighter, why))
    if old.allowed != new.allowed:
        gone = [code for code in old.allowed if code not in new.allowed]
        come = [code for code in new.allowed if code not in old.allowed]
        tighter = bool(new.allowed) and bool(gone or not old.allowed)
        # A new code reaches readers that have never seen it; they must be told, but no file breaks.
        what = f"{label}: codes removed {gone or 'none'}, added {come or 'none'}"
        changes.append(Change(what, tighter, "rows with the codes removed are rejected" if tighter else "more is good"))
    lost = [header for header in old.headers if header not in new.headers]
    gained = [header for header in new.headers if header not in old.headers]
    if lost:
        changes.append(Change(f"{label}: headers removed {lost}", True, "files with these headers are refused"))
    if gained:
        changes.append(Change(f"{label}: headers added {gained}", False, "more files are good"))
    if old.guards_unit != new.guards_unit:
        what = f"{label}: unitGuard {old.guards_unit} → {new.guards_unit}"
        changes.append(Change(what, False, "other files are held until somebody lets them in"))
    if old.is_personal != new.is_personal:
        why = "values are masked from now on" if new.is_personal else "personal values stand unmasked"
        changes.append(Change(f"{label}: personal {old.is_personal} → {new.is_personal}", not new.is_personal, why))
    return changes


def _tightens(before: str | int | None, after: str | int | None, side: str) -> bool:
    if after is None:
        return False
    if before is None:
        return True
    # Dates compare as texts, numbers as numbers; both are of one column, hence of one kind.
    low, high = (before, after) if isinstance(before, int) or "-" in str(before)[1:] else (float(before), float(after))
    return bool(high > low) if side == "lower" else bool(high < low)  # type: ignore[operator]
