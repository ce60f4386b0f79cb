"""A contract as a page for people: what the feed is, when it comes, in what form, what its columns are."""

from __future__ import annotations

from parkindex.contracts.model import Column, Contract, Server, Table


def markdown(contract: Contract) -> str:
    """Return the page of a feed, as Markdown."""
    parts = [
        f"# {contract.name_zh} · {contract.name}",
        contract.description,
        _facts(contract),
        "## Forms 交付形式",
        "\n".join(f"- {_form(server)}" for server in contract.servers),
        *(_table(table) for table in contract.tables),
    ]
    return "\n\n".join(parts)


def _facts(contract: Contract) -> str:
    limit = contract.reject_limit
    held = [] if limit is None else [f"{limit.count} rows"] * (limit.count is not None)
    if limit is not None and limit.share is not None:
        held.append(f"{(limit.share * 100).normalize():f} %")
    shrink = contract.max_shrink_share
    delivery = contract.delivery + (
        "" if shrink is None else f", held when smaller by more than {(shrink * 100).normalize():f} %"
    )
    rows = {
        "Owner 负责": contract.owner,
        "Contract 合约": f"contracts/{contract.feed}.odcs.yaml, version {contract.version}",
        "Due 到期": f"{contract.frequency}; late {contract.latency_days} days after the last delivery",
        "Delivery 交付": delivery,
        "Held 暂扣": f"a file with more than {' or '.join(held)} set aside" if held else "no limit",
        "Drift 漂移": f"columns {contract.on_unknown_column}, types {contract.on_type_mismatch}, "
        f"codes {contract.on_unknown_code}",
    }
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {_cell(value)} |" for name, value in rows.items())])


def _form(server: Server) -> str:
    if server.type == "api":
        return f"`{server.name}`: API, pages of JSON"
    return f"`{server.path}`: {server.format}, {server.encoding}"


def _table(table: Table) -> str:
    head = f"## {table.raw_table}\n\n{table.description} {table.grain}"
    lines = ["| column | 名称 | type | rules |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{one.name}` | {_cell(one.title)} | {one.physical_type} | {_cell(_rules(table, one))} |"
        for one in table.columns
    ]
    return f"{head}\n\n" + "\n".join(lines)


def _rules(table: Table, column: Column) -> str:
    said = ["key"] if column.name in table.primary_key else []
    said += ["required"] if column.required else []
    said += [f"unit {column.unit}"] if column.unit else []
    said += [f"check {column.check}"] if column.check else []
    said += [f"≥ {column.minimum}"] if column.minimum is not None else []
    said += [f"> {column.exclusive_minimum}"] if column.exclusive_minimum is not None else []
    said += [f"≤ {column.maximum}"] if column.maximum is not None else []
    said += [f"< {column.exclusive_maximum}"] if column.exclusive_maximum is not None else []
    said += [f"≤ {column.at_most}"] if column.at_most else []
    said += [f"≥ {column.at_least}"] if column.at_least else []
    said += [f"one of {', '.join(column.allowed)}"] if column.allowed else []
    said += ["personal"] if column.is_personal else []
    return "; ".join(said)


def _cell(text: str) -> str:
    """Return a text that stays in its cell."""
    return " ".join(text.split()).replace("|", "\\|")
