"""Where in the files of a methodology something stands: file and line, for messages about the resolved document."""

from __future__ import annotations

from pathlib import Path

from parkindex.documents import Located

Place = tuple[str | int, ...]

_HEADER_LINES = 1


class Lines:
    """From places of the resolved document to lines of the files it was made from."""

    def __init__(self, folder: Path) -> None:
        """Start with nothing known.

        Args:
            folder: Folder of the methodologies, named when a place is not known.
        """
        self._folder = folder
        self._sources: dict[Place, tuple[Path, Place]] = {}
        self._documents: dict[Path, Located] = {}

    def stands(self, key: str, path: Path, place: Place) -> None:
        """Say where a top-level key of the document comes from; what was said of it and its parts before is over."""
        for known in [known for known in self._sources if known[0] == key]:
            del self._sources[known]
        self._sources[(key,)] = (path, place)

    def stands_inside(self, inside: Place, path: Path, place: Place) -> None:
        """Say where a part of a top-level key comes from, when that is another place than the rest of it."""
        self._sources[inside] = (path, place)

    def where(self, place: Place) -> str:
        """Return file and line of a place of the document, or of what it stands in."""
        for length in range(len(place), 0, -1):
            source = self._sources.get(place[:length])
            if source is not None:
                path, start = source
                return self.first(path, (*start, *place[length:]))
        return str(self._folder if not self._sources else next(reversed(self._sources.values()))[0])

    def first(self, path: Path, place: Place) -> str:
        """Return file and line of a place in one file; a table's row stands below its header."""
        if path.suffix == ".csv":
            return f"{path}, line {int(place[0]) + _HEADER_LINES + 1}" if place else str(path)
        if path not in self._documents:
            self._documents[path] = Located(path.read_text("utf-8"))
        return f"{path}, line {self._documents[path].line(place)}"
