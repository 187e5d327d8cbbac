"""One zstd frame with its content size: the only form that every client reads.

rattler and conda stop at the end of the first frame, older conda clients want the content
size, and a window above 8 MiB is refused by old decoders.
"""

from __future__ import annotations

import zstandard

from forgeyard.errors import BadInput

#: Up to this level zstd's window stays within 8 MiB.
_HIGHEST_LEVEL = 19


def encode_zst(data: bytes, level: int = 9) -> bytes:
    """Compress into one frame."""
    compressor = zstandard.ZstdCompressor(level=min(level, _HIGHEST_LEVEL), write_content_size=True)
    return compressor.compress(data)


def decode_zst(data: bytes, most: int = 2**30) -> bytes:
    """Decompress one frame of at most ``most`` bytes.  Raises BadInput."""
    try:
        size = zstandard.frame_content_size(data)
        if size > most:
            raise BadInput(f"{size} bytes, more than the {most} allowed", code="too_large")
        if size < 0:
            raise BadInput("The zstd frame does not state its size", code="bad_frame")
        return zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError as error:
        raise BadInput(f"Not a zstd frame: {error}", code="bad_frame") from error
