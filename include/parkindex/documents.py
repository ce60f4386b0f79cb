"""YAML documents of which it is known on which line everything stands; contracts and corrections are read strictly.

Strictly: dates stay texts (a contract is compared and hashed as written), a key that stands twice is an error, and
aliases and tags are not part of the format.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from parkindex.errors import BadInputError

_BOOLEANS = {"true": True, "false": False}


class _Loader(yaml.SafeLoader):
    """SafeLoader whose only implicit types are null, the YAML 1.2 booleans and decimal numbers."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {}  # noqa: RUF012 - PyYAML's own attribute


def _only(tag: str) -> None:
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items():
        for name, expression in resolvers:
            if name == tag:
                _Loader.yaml_implicit_resolvers.setdefault(first, []).append((name, expression))


for _tag in ("null", "int", "float"):
    _only(f"tag:yaml.org,2002:{_tag}")


class Located:
    """A YAML document and the lines of its parts."""

    def __init__(self, text: str) -> None:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
        self._root: Node | None = root

    @cached_property
    def value(self) -> Any:
        """The document, read strictly.

        Raises:
            yaml.YAMLError: A key is no plain text, or stands twice.
        """
        return _value(self._root) if self._root is not None else None

    def line(self, path: Sequence[str | int]) -> int:
        """Return the line (from 1) on which the part at ``path`` begins, or its nearest parent that exists."""
        node = self._root
        line = 1
        for step in path:
            if isinstance(node, MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == step), None)
                if found is None:
                    break
                line, node = found[0].start_mark.line + 1, found[1]
            elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line


def _value(node: Node) -> Any:
    if isinstance(node, MappingNode):
        made: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be a plain text", key.start_mark)
            if key.value in made:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            made[key.value] = _value(value)
        return made
    if isinstance(node, SequenceNode):
        return [_value(item) for item in node.value]
    return _scalar(node)


def _scalar(node: Node) -> Any:
    text = str(node.value)
    if not isinstance(node, ScalarNode) or node.style is not None:
        return text
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    kind = node.tag.rsplit(":", maxsplit=1)[-1]
    if kind == "null":
        return None
    if kind == "int":
        # YAML 1.1 reads 010 as octal and 1:30 as sixty-based; a contract means what a person reads.
        return int(text) if text.lstrip("+-").isdigit() else text
    if kind == "float":
        # Only decimals: .inf and .nan are words here.
        return float(text) if text.lstrip("+-").replace(".", "", 1).isdigit() else text
    return text


def read_located(path: Path, content: bytes, kind: str, next_step: str) -> Located:
    """Read a YAML file of a kind (``contract``, ``correction``); the error names file and line.

    Raises:
        BadInputError: It is not UTF-8 or not YAML; the rule is ``<kind>.yaml``.
    """
    try:
        located = Located(content.decode("utf-8"))
        _ = located.value  # read here, so that what is wrong with it is said here
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error)
        raise BadInputError(
            f"The {kind} is not readable YAML.", where=where, why=f"{kind}.yaml: {problem}", next_step=next_step
        ) from error
    return located
