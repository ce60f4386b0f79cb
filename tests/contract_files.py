"""A small contract as text, for tests that change one thing about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from parkindex import contracts
from parkindex.contracts import Contract

SMALL = """\
kind: DataContract
apiVersion: v3.2.0
id: shops
name: Shops
version: 1.0.0
status: active
description: {purpose: A register of shops for tests.}
team: {name: shop-desk}
servers:
  - {server: gb, type: local, path: "*_gb.csv", format: csv, encoding: GB18030}
  - {server: marked, type: local, path: "*_bom.csv", format: csv, encoding: UTF-8-BOM}
  - {server: plain, type: local, path: "*.csv", format: csv, encoding: UTF-8}
  - {server: packed, type: local, path: "*.csv.gz", format: csv, encoding: UTF-8}
  - {server: book, type: local, path: "*.xlsx", format: xlsx}
  - {server: pages, type: local, path: "*.zip", format: json, customProperties: [{property: items, value: data}]}
  - {server: list, type: local, path: "*.json", format: json}
  - server: api
    type: api
    location: http://shops.example/api
    customProperties:
      - {property: pagination, value: {page: page, size: size, pageSize: 2, items: data, total: total}}
schema:
  - name: shops
    physicalName: shops_v1
    logicalType: object
    description: Shops.
    dataGranularityDescription: One row per shop and day.
    quality:
      - {id: shops__rows, metric: rowCount, mustBeGreaterThan: 0, severity: error}
    properties:
      - name: code
        logicalType: string
        physicalType: text
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        synonyms: [{synonym: 代码}]
        customProperties: [{property: matchKey, value: identifier}]
      - name: opened
        logicalType: date
        physicalType: date
        primaryKey: true
        primaryKeyPosition: 2
        synonyms: [{synonym: 开业日期}]
        customProperties: [{property: defaultFrom, value: registered}]
      - name: registered
        logicalType: date
        physicalType: date
        synonyms: [{synonym: 注册日期}]
      - name: name
        logicalType: string
        physicalType: text
        logicalTypeOptions: {minLength: 2, maxLength: 8}
        synonyms: [{synonym: 名称}]
        customProperties: [{property: matchKey, value: name}]
      - name: owner
        classification: personal
        logicalType: string
        physicalType: text
        logicalTypeOptions: {pattern: '^[^0-9]+$'}
        synonyms: [{synonym: 店主}]
      - name: kind
        logicalType: string
        physicalType: text
        enum: [{value: 茶}, {value: 书}]
        synonyms: [{synonym: 类别}]
      - name: area
        logicalType: number
        physicalType: numeric(6,2)
        logicalTypeOptions: {exclusiveMinimum: 0, maximum: 5000}
        synonyms: [{synonym: 面积}]
      - name: seats
        logicalType: integer
        physicalType: integer
        logicalTypeOptions: {minimum: 0}
        synonyms: [{synonym: 座位}]
      - name: taken
        logicalType: integer
        physicalType: integer
        synonyms: [{synonym: 已占}]
        customProperties: [{property: atMost, value: seats}]
      - name: capital
        logicalType: string
        physicalType: text
        synonyms: [{synonym: 资本}]
        customProperties: [{property: parse, value: money_text}]
slaProperties:
  - {property: frequency, value: 1, unit: y}
  - {property: latency, value: 30, unit: d}
customProperties:
  - {property: onUnknownColumn, value: freeze}
  - {property: nullTokens, value: ["", "-", "N/A"]}
  - {property: encodingSentinels, value: ["代码"]}
"""


def write(folder: Path, *changes: tuple[str, str]) -> Path:
    """Write the small contract with some texts replaced; every replacement must hit."""
    text = SMALL
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "shops.odcs.yaml"
    path.write_text(text, "utf-8")
    return path


def small(folder: Path, *changes: tuple[str, str]) -> Contract:
    """Return the small contract with some texts replaced."""
    return contracts.load_file(write(folder, *changes))


def server(name: str, path: str, form: str, encoding: str = "UTF-8", **properties: object) -> dict[str, object]:
    """Return one delivery form for :func:`plain`."""
    made: dict[str, object] = {"server": name, "type": "local", "path": path, "format": form, "encoding": encoding}
    if properties:
        made["customProperties"] = [{"property": key, "value": value} for key, value in properties.items()]
    return made


def plain(
    folder: Path,
    feed: str,
    columns: Mapping[str, str | Mapping[str, object]],
    servers: Sequence[Mapping[str, object]],
    *,
    key: Sequence[str],
    table: Mapping[str, object] | None = None,
    **properties: object,
) -> Contract:
    """Write and return a contract of one table.

    Args:
        folder: Where to write it.
        feed: Its name.
        columns: Column → header of the provider, or what the contract says about the column (with ``header``).
        servers: Its delivery forms.
        key: Primary key.
        table: Custom properties of the table.
        properties: Custom properties of the contract; ``onUnknownColumn`` is ``freeze`` unless given.
    """
    made = []
    for name, said in columns.items():
        about = {"header": said} if isinstance(said, str) else dict(said)
        column = {"name": name, "logicalType": "string", "physicalType": "text"}
        column["synonyms"] = [{"synonym": about.pop("header", name)}]
        if name in key:
            column |= {"primaryKey": True, "primaryKeyPosition": list(key).index(name) + 1}
        made.append(column | about)
    said = {"onUnknownColumn": "freeze", "nullTokens": [""], **properties}
    document = {
        "kind": "DataContract",
        "apiVersion": "v3.2.0",
        "id": feed,
        "name": feed,
        "version": "1.0.0",
        "status": "active",
        "description": {"purpose": "A feed of the tests."},
        "team": {"name": "test-desk"},
        "servers": list(servers),
        "schema": [
            {
                "name": feed,
                "physicalName": f"{feed}_v1",
                "logicalType": "object",
                "description": "Rows.",
                "dataGranularityDescription": "One row per key.",
                "properties": made,
                **({"customProperties": [{"property": one, "value": table[one]} for one in table]} if table else {}),
            }
        ],
        "slaProperties": [
            {"property": "frequency", "value": 1, "unit": "y"},
            {"property": "latency", "value": 30, "unit": "d"},
        ],
        "customProperties": [{"property": name, "value": value} for name, value in said.items()],
    }
    path = folder / f"{feed}.odcs.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")
    return contracts.load_file(path)
