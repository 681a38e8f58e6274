"""Papers of the demo town, drawn in code: plainly invented, small, and real files of their kind."""

import struct
import zlib


def pdf(title: str, *lines: str) -> bytes:
    """Write a page with a title and a few lines (Latin letters only)."""
    text = [f"BT /F1 20 Tf 60 760 Td ({_plain(title)}) Tj ET"]
    text += [
        f"BT /F1 12 Tf 60 {720 - 22 * row} Td ({_plain(line)}) Tj ET"
        for row, line in enumerate(lines)
    ]
    stream = "\n".join(text).encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        at,
    )
    return bytes(out)


def _plain(text: str) -> str:
    return text.replace("\\", "").replace("(", "[").replace(")", "]")


def picture(seed: int, *, width: int = 240, height: int = 160) -> bytes:
    """Draw a meter's face: a grey box, a dark window, bars for digits."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes(_shade(seed, x, y, width, height))
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = (
        _chunk(b"IHDR", size) + _chunk(b"IDAT", zlib.compress(bytes(rows))) + _chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _shade(seed: int, x: int, y: int, width: int, height: int) -> tuple[int, int, int]:
    if not (12 <= x < width - 12 and 12 <= y < height - 12):
        return (120, 128, 130)
    if 40 <= y < 80 and 36 <= x < width - 36:
        bar, inside = divmod(x - 36, 24)
        lit = 4 <= inside < 18 and (seed * 7 + bar * 3 + (y - 40) // 8) % 3 != 0
        return (40, 70, 60) if lit else (198, 214, 196)
    return (232, 236, 236)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
