"""From the bytes of a delivery to UTF-8, as its contract declares them, or not at all.

Nothing is guessed: a byte that the declared encoding does not have refuses the file, and since UTF-8 read as GB18030
(or Big5, or Latin-1) mostly raises nothing, one of the contract's sentinels must stand in the header.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain

import numpy as np
import polars as pl
import pyarrow as pa

from parkindex.contracts import Server
from parkindex.landing.refusal import refuse

_BOM = codecs.BOM_UTF8
_HEAD_BYTES = 1 << 16
# Tried in this order for the hint; the declared one and those that cannot fail are not among them.
_LIKELY = ("utf-8", "gb18030", "big5", "utf-16")
_UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_utf_8(encoding: str) -> bool:
    """Whether bytes in an encoding are UTF-8 already."""
    return encoding == "UTF-8-BOM" or codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def utf_8_pieces(pieces: Iterator[bytes], server: Server, sentinels: tuple[str, ...] = ()) -> Iterator[bytes]:
    """Yield UTF-8 bytes without a byte order mark, out of bytes as the delivery form declares them.

    Args:
        pieces: The bytes as received; the first piece holds the whole header.
        server: The delivery form.
        sentinels: Texts of which one must stand in a header that is not ASCII.

    Raises:
        FileRefusedError: The bytes are not in the declared encoding (``file.encoding``), or decode to something else
            than what was meant (``file.sentinel``).
    """
    if server.misread_as is not None:
        pieces = _read_back(pieces, server.misread_as)
    encoding = server.encoding
    name = "utf-8" if is_utf_8(encoding) else codecs.lookup(encoding).name
    decoder = codecs.getincrementaldecoder(name)()
    first = True
    pending = b""
    seen = 0
    for piece in chain(pieces, [b""]):
        body = piece
        if first and piece:
            first = False
            _check_marks(piece, encoding, name)
            if name != "utf-8":
                _check_sentinels(piece, name, server, sentinels)
            elif piece.startswith(_BOM):
                body = piece[len(_BOM) :]
        try:
            if name == "utf-8":
                pending = _checked(pending + body, final=not piece)
                yield body
            else:
                yield decoder.decode(body, final=not piece).encode("utf-8")
        except UnicodeError as error:
            at = seen - len(pending) + getattr(error, "start", 0)
            refuse("file.encoding", f"The file is not {encoding}: byte {at} cannot be decoded.{hint(piece, name)}")
        seen += len(piece)


def _checked(data: bytes, *, final: bool) -> bytes:
    """Check that bytes are UTF-8; return the character that is cut off at their end, if any.

    Raises:
        UnicodeDecodeError: They are not.
    """
    end = len(data) if final else len(data) - _unfinished(data)
    try:
        # polars checks many bytes at once, and these where they are; Python says which one is wrong.
        ends = pa.py_buffer(np.array([0, end], dtype=np.int64))
        whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, pa.py_buffer(data)])
        pl.Series(whole).cast(pl.String)
    except pl.exceptions.PolarsError:
        data[:end].decode("utf-8")
        raise
    return data[end:]


def _unfinished(data: bytes) -> int:
    """Return how many bytes at the end begin a character of UTF-8 that is longer."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte < 0x80:
            return 0
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if back < length else 0
    return 0


def text_of(content: bytes, server: Server, where: str) -> str:
    """Return a whole document as text.

    Raises:
        FileRefusedError: It is not in the declared encoding.
    """
    if is_utf_8(server.encoding) and server.misread_as is None:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            refuse("file.encoding", f"The document is not UTF-8: byte {error.start} cannot be decoded.", where)
    return b"".join(utf_8_pieces(iter([content]), server)).decode("utf-8")


def repaired(server: Server) -> str | None:
    """Return the note on what the reader takes back, if the delivery form says so."""
    if server.misread_as is None:
        return None
    return f"note: repaired as declared: {server.encoding} that was read as {server.misread_as} and saved as UTF-8"


def hint(piece: bytes, declared: str) -> str:
    """Return in which other encoding the bytes could be, as a sentence for a refusal; empty when in none."""
    for other in _LIKELY:
        if other == declared or (other == "utf-16" and not piece.startswith(_UTF_16_MARKS)):
            continue
        try:
            codecs.getincrementaldecoder(other)().decode(piece[:4096])
        except UnicodeError:
            continue
        return f" It may be {other.upper()}."
    return ""


def _read_back(pieces: Iterator[bytes], misread_as: str) -> Iterator[bytes]:
    """Yield the bytes that were once read in the wrong encoding, out of the UTF-8 they were then saved in."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    for piece in chain(pieces, [b""]):
        try:
            yield decoder.decode(piece, final=not piece).encode(misread_as)
        except UnicodeError as error:
            refuse("file.encoding", f"The file is not text that was read as {misread_as} and saved as UTF-8: {error}.")


def _check_marks(piece: bytes, encoding: str, name: str) -> None:
    """Hold the byte order mark against the declared encoding."""
    if encoding == "UTF-8-BOM" and not piece.startswith(_BOM):
        refuse("file.encoding", "The file does not begin with the UTF-8 byte order mark.")
    is_marked = piece.startswith(_UTF_16_MARKS)
    if name == "utf-16" and not is_marked:
        # Without a mark Python takes the byte order of the machine.
        refuse("file.encoding", f"The file does not begin with a UTF-16 byte order mark.{hint(piece, name)}")
    if is_marked and not name.startswith(("utf-16", "utf-32")):
        refuse("file.encoding", f"The file is UTF-16, not {encoding}.")


def _check_sentinels(piece: bytes, name: str, server: Server, sentinels: tuple[str, ...]) -> None:
    """Refuse a file whose header decodes without an error to something that nobody wrote."""
    ends = "\r" if server.line_ends == "CR" else "\n"
    header = piece[:_HEAD_BYTES].decode(name, errors="replace").split(ends, maxsplit=1)[0]
    if not sentinels or header.isascii() or any(sentinel in header for sentinel in sentinels):
        return
    listed = ", ".join(sentinels)
    found = hint(piece[:_HEAD_BYTES], name)
    refuse("file.sentinel", f"Read as {server.encoding}, the header holds none of: {listed}.{found}", "line 1")
