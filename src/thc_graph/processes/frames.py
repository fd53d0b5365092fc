"""Frames: how a child and its parent speak.

A frame is four bytes of length (big-endian) and as many of JSON; what its header calls
`length` follows it as so many bytes.
"""

import json
import struct
import sys
from typing import Any, BinaryIO

Header = dict[str, Any]


def receive(source: BinaryIO | None = None) -> Header | None:
    """Return the next frame, or None when the parent has closed its end."""
    source = source or sys.stdin.buffer
    size = source.read(4)
    if len(size) < 4:  # noqa: PLR2004 - the length of a length
        return None
    frame: Header = json.loads(source.read(struct.unpack(">I", size)[0]))
    return frame


def send(header: Header, body: bytes | bytearray = b"", target: BinaryIO | None = None) -> None:
    target = target or sys.stdout.buffer
    frame = json.dumps(header).encode()
    target.write(struct.pack(">I", len(frame)) + frame)
    target.write(body)
    target.flush()
