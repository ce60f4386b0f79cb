"""From a contract file to a :class:`Contract`: the standard's JSON Schema first, then our own closed lists.

What the Open Data Contract Standard leaves open (custom properties, options of logical types, quality metrics) is
closed here: a key or value that nothing in parkindex reads is an error, because it would promise what nobody keeps.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

import jsonschema
import polars as pl

from parkindex.contracts.model import Column, Contract, Pagination, QualityRule, RejectLimit, Server, Table, Withdrawal
from parkindex.documents import Located, read_located
from parkindex.errors import BadInputError

API_VERSION = "v3.2.0"
FORMATS = ("csv", "xlsx", "xls", "json", "jsonl", "geojson", "cnipa_xml")
# What one character of text is in these depends on a programming language, not on a provider.
_NO_FILE_ENCODINGS = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})
LINE_ENDS = ("LF", "CR")
DATE_SYSTEMS = ("1900", "1904")
DATE_FORMATS = ("yyyy-MM-dd", "yyyy-MM", "yyyy/M/d", "yyyyMMdd")
CHECKS = ("uscc", "uscc_or_registration_number", "patent_application_number", "geojson_polygon")
MATCH_KEYS = ("identifier", "name", "address")
UNITS = ("cny", "thousand_cny", "person", "count", "hectare", "degree", "percent")
DATUMS = ("CGCS2000",)
DRIFT_MODES = ("freeze", "evolve", "quarantine")
DELIVERY_MODES = ("full", "increment")
SEVERITIES = ("error", "warning")

_PHYSICAL_TYPES = {
    "string": r"text",
    "integer": r"integer|bigint",
    "number": r"numeric\(\d{1,2},\d{1,2}\)",
    "date": r"date",
}
_OPTIONS = {
    "string": {"minLength", "maxLength", "pattern"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "date": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "format"},
}
_CONTRACT_PROPERTIES = {
    "nameZh",
    "nullTokens",
    "encodingSentinels",
    "onUnknownColumn",
    "onTypeMismatch",
    "onUnknownCode",
    "rejectLimit",
    "delivery",
    "maxShrinkShare",
}
_TABLE_PROPERTIES = {"sheet", "sheets", "continuationColumns", "continuationAnchor", "withdrawal"}
_COLUMN_PROPERTIES = {"check", "matchKey", "parse", "unit", "unitGuard", "datum", "defaultFrom", "atMost", "atLeast"}
_COLUMN_PROPERTIES |= {"notAfter", "currencyDate", "atLanding"}
# Property of a server → the formats it means something for; None: for what is packed.
_SERVER_PROPERTIES: dict[str, tuple[str, ...] | None] = {
    "pagination": (),
    "items": ("json",),
    "delimiter": ("csv",),
    "lineEnds": ("csv",),
    "misreadAs": ("csv", "json", "jsonl"),
    "members": None,
    "trailer": ("csv", "xlsx", "xls"),
    "serialDates": ("xlsx", "xls"),
}
_METRICS = ("rowCount", "nullValues", "duplicateValues")
_MONTHS = {"m": 1, "month": 1, "months": 1, "y": 12, "yr": 12, "year": 12, "years": 12}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Postgres truncates identifiers at 63 bytes; the longest suffix we add is "_currency".
_LONGEST_NAME = 63 - len("_currency")
_NEXT_STEP = "correct the contract, then run `parkindex contract check`"


def load_file(path: Path) -> Contract:
    """Read and validate one contract file.

    Args:
        path: A ``*.odcs.yaml`` file.

    Raises:
        BadInputError: The file cannot be read or breaks a rule; the message names file and line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInputError(
            "The contract cannot be read.",
            where=str(path),
            why=error.strerror or str(error),
            next_step="give the path of a *.odcs.yaml file",
        ) from error
    return _parse(path, content)


def read(content: bytes, name: Path) -> Contract:
    """Validate a contract that is not in a file of its own.

    Args:
        content: Its bytes.
        name: What to call it in messages.

    Raises:
        BadInputError: It breaks a rule; the message names ``name`` and the line.
    """
    return _parse(name, content)


@cache
def _parse(path: Path, content: bytes) -> Contract:
    located = read_located(path, content, "contract", _NEXT_STEP)
    reader = _Reader(path, located)
    reader.check_schema()
    return reader.contract(hashlib.sha256(content).hexdigest())


@cache
def _validator() -> jsonschema.Draft201909Validator:
    schema = resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    return jsonschema.Draft201909Validator(json.loads(schema))


class _Reader:
    """One contract file being read; every refusal knows file and line."""

    def __init__(self, path: Path, located: Located) -> None:
        self.path = path
        self.located = located
        self.document: dict[str, Any] = located.value if isinstance(located.value, dict) else {}

    def refuse(self, what: str, rule: str, at: Iterable[str | int] = ()) -> NoReturn:
        line = self.located.line(tuple(at))
        raise BadInputError(what, where=f"{self.path}:{line}", why=rule, next_step=_NEXT_STEP)

    def one_of(self, value: Any, known: Iterable[str], what: str, at: tuple[str | int, ...]) -> str:
        known = tuple(known)
        if value not in known:
            self.refuse(f"{what} {value!r} is not known (one of: {', '.join(known)}).", "contract.closed_list", at)
        return str(value)

    # ------------------------------------------------------------------------------------------------- the standard

    def check_schema(self) -> None:
        """Validate against the JSON Schema of the standard; unknown keys are errors there."""
        if not self.document:
            self.refuse("The contract is not a mapping.", "contract.schema")
        errors = list(_validator().iter_errors(self.document))
        if not errors:
            return
        leaves = [_deepest(error) for error in errors]
        worst = max(leaves, key=lambda error: len(error.absolute_path))
        path = tuple(worst.absolute_path)
        self.refuse(
            f"{'/'.join(map(str, path)) or 'the contract'}: {worst.message[:300]}",
            f"contract.schema: ODCS {API_VERSION}",
            self._misspelt(worst, path),
        )

    @staticmethod
    def _misspelt(error: jsonschema.ValidationError, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Point at the unexpected key itself where the message names one."""
        named = re.search(r"'([^']+)' (?:was|were) unexpected", error.message)
        return (*path, named.group(1)) if named else path

    # ------------------------------------------------------------------------------------------------- the contract

    def contract(self, sha256: str) -> Contract:
        """Build the contract from the validated document."""
        doc = self.document
        if doc["apiVersion"] != API_VERSION:
            self.refuse(
                f"apiVersion {doc['apiVersion']!r} is not {API_VERSION}.", "contract.api_version", ["apiVersion"]
            )
        feed = doc["id"]
        if not _NAME.fullmatch(feed):
            self.refuse(f"The id {feed!r} is not lower_snake_case.", "contract.name", ["id"])
        if not re.fullmatch(r"\d+\.\d+\.\d+", str(doc["version"])):
            self.refuse(f"The version {doc['version']!r} is not major.minor.patch.", "contract.version", ["version"])
        for key in ("name", "team", "description", "servers", "schema", "slaProperties", "customProperties"):
            if key not in doc:
                self.refuse(f"The contract does not say `{key}`.", "contract.missing")
        properties = self.properties(doc, _CONTRACT_PROPERTIES, ())
        frequency, latency = self.service_level()
        contract = Contract(
            feed=feed,
            version=str(doc["version"]),
            sha256=sha256,
            name=doc["name"],
            name_zh=str(properties.get("nameZh", doc["name"])),
            owner=self.owner(),
            description="\n".join(str(text).strip() for text in doc["description"].values() if isinstance(text, str)),
            servers=tuple(self.server(server, ("servers", place)) for place, server in enumerate(doc["servers"])),
            tables=tuple(self.table(table, ("schema", place)) for place, table in enumerate(doc["schema"])),
            null_tokens=self.texts(properties.get("nullTokens", [""]), "nullTokens"),
            on_unknown_column=self.one_of(
                properties.get("onUnknownColumn"), DRIFT_MODES, "onUnknownColumn", ("customProperties",)
            ),
            encoding_sentinels=self.texts(properties.get("encodingSentinels", []), "encodingSentinels"),
            on_type_mismatch=self.one_of(
                properties.get("onTypeMismatch", "quarantine"), DRIFT_MODES, "onTypeMismatch", ("customProperties",)
            ),
            on_unknown_code=self.one_of(
                properties.get("onUnknownCode", "quarantine"), DRIFT_MODES, "onUnknownCode", ("customProperties",)
            ),
            reject_limit=self.reject_limit(properties.get("rejectLimit")),
            delivery=self.one_of(
                properties.get("delivery", "increment"), DELIVERY_MODES, "delivery", ("customProperties",)
            ),
            max_shrink_share=self.share(properties.get("maxShrinkShare"), "maxShrinkShare"),
            frequency_months=frequency,
            latency_days=latency,
            document=doc,
        )
        self.check_whole(contract)
        return contract

    def check_whole(self, contract: Contract) -> None:
        """Check what concerns several parts of a contract at once."""
        for place, table in enumerate(contract.tables):
            if not table.raw_table.endswith(f"_v{contract.major}"):
                self.refuse(
                    f"physicalName {table.raw_table!r} does not end in _v{contract.major}, the major version.",
                    "contract.major_version",
                    ("schema", place, "physicalName"),
                )
        repeated = _repeated(table.raw_table for table in contract.tables)
        if repeated:
            self.refuse(f"physicalName {repeated!r} stands twice.", "contract.unique", ("schema",))
        if not any(server.type == "local" for server in contract.servers):
            self.refuse("No server of type local: nothing could be landed.", "contract.servers", ("servers",))
        if len(contract.tables) > 1 and any(server.format not in (None, "xlsx", "xls") for server in contract.servers):
            self.refuse("Only workbooks hold several tables.", "contract.tables", ("servers",))
        if (contract.delivery == "full") != (contract.max_shrink_share is not None):
            # A full delivery that may shrink without limit would pass a file cut in half for the whole.
            self.refuse("`delivery: full` and maxShrinkShare go together.", "contract.delivery", ("customProperties",))
        repeated = _repeated(server.name for server in contract.servers)
        if repeated:
            self.refuse(f"The server {repeated!r} stands twice.", "contract.unique", ("servers",))
        guarded = [one.encoding for one in contract.servers if one.format == "csv" and not _proves_itself(one.encoding)]
        if guarded and not contract.encoding_sentinels:
            # UTF-8 bytes read as GB18030 raise nothing: without a sentinel nobody would notice.
            self.refuse(f"A {guarded[0]} file needs encodingSentinels.", "contract.sentinel", ("customProperties",))

    def owner(self) -> str:
        """Return the name of the team."""
        name = self.document["team"].get("name") if isinstance(self.document["team"], dict) else None
        if not name:
            self.refuse("The team has no name: nobody answers for the feed.", "contract.owner", ("team",))
        return str(name)

    def texts(self, value: Any, name: str) -> tuple[str, ...]:
        """Return a list of texts, quoted as they must be in YAML."""
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.refuse(f"{name} is not a list of texts.", "contract.closed_list", ("customProperties",))
        return tuple(value)

    def properties(self, element: dict[str, Any], known: set[str], at: tuple[str | int, ...]) -> dict[str, Any]:
        """Return custom properties as a mapping; only those in ``known`` may stand, each once."""
        made: dict[str, Any] = {}
        for place, item in enumerate(element.get("customProperties", [])):
            here = (*at, "customProperties", place)
            name = self.one_of(item["property"], sorted(known), "The custom property", here)
            if name in made:
                self.refuse(f"The custom property {name} stands twice.", "contract.unique", here)
            made[name] = item["value"]
        return made

    def reject_limit(self, value: Any) -> RejectLimit | None:
        """Read how many rows of a file may be set aside before the file is held."""
        if value is None:
            return None
        if not isinstance(value, dict) or not value or value.keys() - {"count", "share"}:
            self.refuse("rejectLimit says count, share or both.", "contract.reject_limit", ("customProperties",))
        count = value.get("count")
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
            self.refuse("rejectLimit: count is no whole number.", "contract.reject_limit", ("customProperties",))
        return RejectLimit(count, self.share(value.get("share"), "rejectLimit: share"))

    def share(self, value: Any, name: str) -> Decimal | None:
        """Read a share from 0 to below 1."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            self.refuse(f"{name} is no share from 0 to below 1.", "contract.share", ("customProperties",))
        return Decimal(str(value))

    def withdrawal(self, value: Any, columns: tuple[Column, ...], at: tuple[str | int, ...]) -> Withdrawal | None:
        """Read which rows say that their key is withdrawn."""
        if value is None:
            return None
        if not isinstance(value, dict) or value.keys() != {"column", "values"}:
            self.refuse("withdrawal says column and values.", "contract.withdrawal", at)
        if value["column"] not in {column.name for column in columns}:
            self.refuse(f"{value['column']!r} is no column of the table.", "contract.reference", at)
        values = self.texts(value["values"], "withdrawal: values")
        if not values:
            self.refuse("withdrawal: no value marks a withdrawn row.", "contract.withdrawal", at)
        return Withdrawal(value["column"], values)

    def service_level(self) -> tuple[int, int]:
        """Return months between deliveries and days until late."""
        found: dict[str, dict[str, Any]] = {}
        for place, item in enumerate(self.document["slaProperties"]):
            at = ("slaProperties", place)
            name = self.one_of(item["property"], ("frequency", "latency"), "The SLA property", at)
            if not isinstance(item["value"], int) or item["value"] < 1:
                self.refuse(f"{name} is not a whole number from 1.", "contract.sla", at)
            found[name] = item
        if found.keys() != {"frequency", "latency"}:
            self.refuse("slaProperties must say frequency and latency.", "contract.sla", ("slaProperties",))
        frequency, latency = found["frequency"], found["latency"]
        if frequency.get("unit") not in _MONTHS or latency.get("unit") not in ("d", "day", "days"):
            self.refuse("frequency is in months or years, latency in days.", "contract.sla", ("slaProperties",))
        return int(frequency["value"]) * _MONTHS[frequency["unit"]], int(latency["value"])

    def server(self, server: dict[str, Any], at: tuple[str | int, ...]) -> Server:
        """Read one delivery form."""
        kind = self.one_of(server["type"], ("local", "api"), "The server type", at)
        properties = self.properties(server, set(_SERVER_PROPERTIES), at)
        if kind == "api":
            if properties.keys() - {"pagination"}:
                self.refuse("An API has pagination and no other property.", "contract.options", at)
            return Server(
                name=server["server"],
                type=kind,
                path=None,
                format=None,
                encoding="UTF-8",
                location=server.get("location"),
                items=None,
                pagination=self.pagination(properties.get("pagination"), at),
            )
        form = self.one_of(server.get("format"), FORMATS, "The format", at)
        if not server.get("path"):
            self.refuse("A local server needs a path: the pattern of its file names.", "contract.servers", at)
        for name in properties:
            formats = _SERVER_PROPERTIES[name]
            if formats is not None and form not in formats:
                self.refuse(f"{name} means nothing for {form} files.", "contract.options", (*at, "customProperties"))
        misread = properties.get("misreadAs")
        return Server(
            name=server["server"],
            type=kind,
            path=server["path"],
            format=form,
            encoding=self.encoding(server.get("encoding", "UTF-8"), at),
            location=None,
            items=properties.get("items"),
            pagination=None,
            delimiter=self.delimiter(properties.get("delimiter", ","), at),
            line_ends=self.one_of(properties.get("lineEnds", "LF"), LINE_ENDS, "lineEnds", at),
            misread_as=None if misread is None else self.encoding(misread, at),
            members=str(properties.get("members", "*")),
            trailer=self.pattern(properties.get("trailer"), at),
            serial_dates=self.date_system(properties.get("serialDates"), at),
        )

    def encoding(self, name: Any, at: tuple[str | int, ...]) -> str:
        """Check that Python can read a text encoding; ``UTF-8-BOM`` is UTF-8 whose mark must be there."""
        if name == "UTF-8-BOM":
            return str(name)
        try:
            known = codecs.lookup(str(name))
            readable = known.name not in _NO_FILE_ENCODINGS and "".encode(known.name) is not None
        except LookupError:
            readable = False
        if not readable:
            self.refuse(f"The encoding {name!r} is not known.", "contract.closed_list", (*at, "encoding"))
        return str(name)

    def delimiter(self, value: Any, at: tuple[str | int, ...]) -> str:
        """Check the character between cells."""
        if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in '"\r\n\x00':
            self.refuse("delimiter is not one ASCII character other than quote and line end.", "contract.options", at)
        return value

    def date_system(self, value: Any, at: tuple[str | int, ...]) -> str | None:
        """Check the date system of day numbers; YAML may have made a number of it."""
        return None if value is None else self.one_of(str(value), DATE_SYSTEMS, "serialDates", at)

    def pagination(self, value: Any, at: tuple[str | int, ...]) -> Pagination:
        """Read how an API is paged."""
        if not isinstance(value, dict) or value.keys() != {"page", "size", "pageSize", "items", "total"}:
            self.refuse("pagination must say page, size, pageSize, items and total.", "contract.pagination", at)
        if not isinstance(value["pageSize"], int) or value["pageSize"] < 1:
            self.refuse("pageSize is not a whole number from 1.", "contract.pagination", at)
        return Pagination(value["page"], value["size"], value["pageSize"], value["items"], value["total"])

    # --------------------------------------------------------------------------------------------------- its tables

    def table(self, table: dict[str, Any], at: tuple[str | int, ...]) -> Table:
        """Read one table."""
        for key in ("name", "physicalName", "description", "dataGranularityDescription", "properties"):
            if not table.get(key):
                self.refuse(f"The table does not say `{key}`.", "contract.missing", at)
        physical = table["physicalName"]
        if not _NAME.fullmatch(physical) or len(physical) > _LONGEST_NAME:
            self.refuse(f"physicalName {physical!r} is no short lower_snake_case name.", "contract.name", at)
        columns = tuple(
            self.column(column, (*at, "properties", place)) for place, column in enumerate(table["properties"])
        )
        properties = self.properties(table, _TABLE_PROPERTIES, at)
        rules = enumerate(table.get("quality", []))
        made = Table(
            name=table["name"],
            raw_table=physical,
            description=table["description"],
            grain=table["dataGranularityDescription"],
            sheet=properties.get("sheet"),
            sheets=properties.get("sheets"),
            continuation_columns=tuple(properties.get("continuationColumns", ())),
            continuation_anchor=properties.get("continuationAnchor"),
            withdrawal=self.withdrawal(properties.get("withdrawal"), columns, (*at, "customProperties")),
            columns=columns,
            quality=tuple(self.quality(rule, (*at, "quality", place), columns) for place, rule in rules),
            line=self.located.line(at),
        )
        self.check_table(made, at)
        return made

    def check_table(self, table: Table, at: tuple[str | int, ...]) -> None:
        """Check what concerns several columns at once."""
        names = [column.name for column in table.columns]
        stored = names + [name for column in table.columns for name, _, _ in column.derived]
        repeated = _repeated(stored)
        if repeated:
            self.refuse(f"The column {repeated!r} of {table.name} stands twice.", "contract.unique", at)
        repeated = _repeated(header for column in table.columns for header in column.headers)
        if repeated:
            self.refuse(f"The header {repeated!r} of {table.name} means two columns.", "contract.synonyms", at)
        positions = sorted(column.key_position for column in table.columns if column.key_position is not None)
        if not positions or positions != list(range(1, len(positions) + 1)):
            self.refuse(f"The primary key of {table.name} is not numbered from 1.", "contract.primary_key", at)
        if table.sheet is not None and table.sheets is not None:
            self.refuse(f"{table.name} says sheet and sheets; one of them.", "contract.options", at)
        if bool(table.continuation_columns) != bool(table.continuation_anchor):
            self.refuse("continuationColumns and continuationAnchor go together.", "contract.continuation", at)
        named = [(table.continuation_anchor, at), *((name, at) for name in table.continuation_columns)]
        for place, column in enumerate(table.columns):
            here = (*at, "properties", place)
            named += [(column.default_from, here), (column.at_most, here), (column.at_least, here)]
            named.append((column.currency_date, here))
            if column.currency_date in names and table.column(str(column.currency_date)).logical_type != "date":
                self.refuse(f"{column.currency_date} is no date.", "contract.reference", here)
            for other in (column.at_most, column.at_least, column.default_from):
                if other in names and table.column(str(other)).logical_type != column.logical_type:
                    self.refuse(f"{column.name} and {other} are of different types.", "contract.reference", here)
        for name, here in named:
            if name is not None and name not in names:
                self.refuse(f"{name!r} is no column of {table.name}.", "contract.reference", here)
        if table.continuation_anchor and table.continuation_anchor not in table.continuation_columns:
            self.refuse("continuationAnchor is not among continuationColumns.", "contract.continuation", at)

    def quality(self, rule: dict[str, Any], at: tuple[str | int, ...], columns: tuple[Column, ...]) -> QualityRule:
        """Read one quality rule."""
        metric = self.one_of(rule.get("metric"), _METRICS, "The quality metric", at)
        known = {"id", "metric", "arguments", "severity", "dimension", "description", "name", "unit", "businessImpact"}
        bounds = {"mustBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo"}
        bounds |= {"mustBeBetween"}
        for key in rule.keys() - known - bounds:
            self.refuse(f"The quality rule says `{key}`, which nothing checks.", "contract.quality", (*at, key))
        named = tuple((rule.get("arguments") or {}).get("properties", ()))
        if (metric == "rowCount") == bool(named):
            self.refuse(f"{metric}: arguments.properties is wrong or missing.", "contract.quality", at)
        for name in named:
            if name not in {column.name for column in columns}:
                self.refuse(f"{name!r} is no column of the table.", "contract.reference", at)
        stated = {key: rule[key] for key in bounds & rule.keys()}
        flat = [value for item in stated.values() for value in (item if isinstance(item, list) else [item])]
        if not stated or not all(isinstance(value, int) for value in flat):
            self.refuse("The quality rule has no bound in whole numbers.", "contract.quality", at)
        if not rule.get("id"):
            self.refuse("The quality rule has no id.", "contract.quality", at)
        low, high = _bounds(stated)
        severity = self.one_of(rule.get("severity"), SEVERITIES, "The severity", at)
        return QualityRule(rule["id"], metric, named, low, high, severity)

    # -------------------------------------------------------------------------------------------------- its columns

    def column(self, column: dict[str, Any], at: tuple[str | int, ...]) -> Column:
        """Read one column."""
        name = column["name"]
        if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            self.refuse(f"The column name {name!r} is no short lower_snake_case name.", "contract.name", at)
        logical = self.one_of(column.get("logicalType"), _PHYSICAL_TYPES, f"The logicalType of {name},", at)
        physical = str(column.get("physicalType"))
        if not re.fullmatch(_PHYSICAL_TYPES[logical], physical):
            self.refuse(f"physicalType {physical!r} of {name} does not fit logicalType {logical}.", "contract.type", at)
        options = column.get("logicalTypeOptions", {})
        for key in options.keys() - _OPTIONS[logical]:
            self.refuse(
                f"{name}: the option {key!r} means nothing for a {logical}.",
                "contract.options",
                (*at, "logicalTypeOptions", key),
            )
        properties = self.properties(column, _COLUMN_PROPERTIES, at)
        here = (*at, "customProperties")

        def chosen(key: str, known: tuple[str, ...]) -> str | None:
            return None if key not in properties else self.one_of(properties[key], known, f"{name}: {key}", here)

        text_only = {"check", "matchKey", "parse"} & properties.keys()
        if text_only and logical != "string":
            self.refuse(f"{name}: {sorted(text_only)[0]} is for texts.", "contract.options", here)
        guarded = properties.get("unitGuard", False)
        if not isinstance(guarded, bool) or (guarded and logical not in ("integer", "number")):
            self.refuse(f"{name}: unitGuard is true or false, on a number.", "contract.options", here)
        if "notAfter" in properties and logical != "date":
            self.refuse(f"{name}: notAfter is for dates.", "contract.options", here)
        if "currencyDate" in properties and "parse" not in properties:
            self.refuse(f"{name}: currencyDate goes with parse: money_text.", "contract.options", here)
        personal = column.get("classification")
        if personal not in (None, "personal"):
            self.refuse(f"{name}: classification {personal!r} is not known.", "contract.closed_list", at)
        if "atLanding" in properties and personal is None:
            self.refuse(f"{name}: atLanding goes with classification: personal.", "contract.options", here)
        if personal is not None and (logical != "string" or column.get("primaryKey") or column.get("required")):
            self.refuse(
                f"{name}: a personal column is a text, no key and not required: nothing may rest on it.",
                "contract.options",
                at,
            )
        return Column(
            name=name,
            title=column.get("businessName", name),
            description=column.get("description", ""),
            logical_type=logical,
            physical_type=physical,
            required=bool(column.get("required", False)),
            key_position=column.get("primaryKeyPosition") if column.get("primaryKey") else None,
            synonyms=tuple(synonym["synonym"] for synonym in column.get("synonyms", [])),
            allowed=tuple(str(item["value"]) for item in column.get("enum", [])),
            minimum=self.bound(options, "minimum", logical, at),
            maximum=self.bound(options, "maximum", logical, at),
            exclusive_minimum=self.bound(options, "exclusiveMinimum", logical, at),
            exclusive_maximum=self.bound(options, "exclusiveMaximum", logical, at),
            min_length=options.get("minLength"),
            max_length=options.get("maxLength"),
            pattern=self.pattern(options.get("pattern"), at),
            date_format=self.one_of(options.get("format", "yyyy-MM-dd"), DATE_FORMATS, "The date format", at),
            check=chosen("check", CHECKS),
            match_key=chosen("matchKey", MATCH_KEYS),
            parses_money=chosen("parse", ("money_text",)) is not None,
            unit=chosen("unit", UNITS),
            datum=chosen("datum", DATUMS),
            default_from=properties.get("defaultFrom"),
            at_most=properties.get("atMost"),
            at_least=properties.get("atLeast"),
            not_after=chosen("notAfter", ("received",)),
            currency_date=properties.get("currencyDate"),
            guards_unit=guarded,
            is_personal=personal == "personal",
            at_landing="keep" if personal is None else chosen("atLanding", ("drop", "seal")) or "drop",
            line=self.located.line(at),
        )

    def bound(self, options: dict[str, Any], key: str, logical: str, at: tuple[str | int, ...]) -> str | None:
        """Return a bound as text, checked to be of the column's type."""
        if key not in options:
            return None
        text = str(options[key])
        if not _is_bound(text, logical):
            self.refuse(f"{key} {text!r} is no {logical}.", "contract.options", (*at, "logicalTypeOptions", key))
        return text

    def pattern(self, value: Any, at: tuple[str | int, ...]) -> str | None:
        """Return a pattern, checked to be a regular expression that spans the whole value."""
        if value is None:
            return None
        here = (*at, "logicalTypeOptions", "pattern")
        if not (value.startswith("^") and value.endswith("$")):
            self.refuse(f"The pattern {value!r} does not span the value (^…$).", "contract.pattern", here)
        try:
            # The engine that applies it: linear in the value, hence without look-around and back-references.
            pl.Series([""]).str.contains(value)
        except pl.exceptions.ComputeError as error:
            self.refuse(f"The pattern {value!r} is no regular expression here: {error}", "contract.pattern", here)
        return str(value)


def _proves_itself(encoding: str) -> bool:
    """Whether text in another encoding hardly ever decodes in this one: UTF-8, and UTF-16 with its mark."""
    return encoding == "UTF-8-BOM" or codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "utf-16", "ascii")


def _is_bound(text: str, logical: str) -> bool:
    """Whether a text is an ISO date or a finite decimal number, as the logical type asks."""
    try:
        return date.fromisoformat(text) is not None if logical == "date" else Decimal(text).is_finite()
    except (ValueError, InvalidOperation):
        return False


def _deepest(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """Return the most specific cause of a schema error: the context entry that went deepest."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error


def _bounds(stated: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return the inclusive bounds that a quality rule's operators say."""
    low: int | None = None
    high: int | None = None
    for key, value in sorted(stated.items()):
        if key == "mustBe":
            low = high = value
        elif key == "mustBeBetween":
            low, high = value
        elif key == "mustBeGreaterThan":
            low = value + 1
        elif key == "mustBeGreaterOrEqualTo":
            low = value
        elif key == "mustBeLessThan":
            high = value - 1
        else:
            high = value
    return low, high


def _repeated(names: Iterable[str]) -> str | None:
    """Return the first name that stands twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
