"""Files made to cost their reader memory or time, by code: none is kept.

Most are cheap to make and dear to read. Some are honest: the picture is there, and is to be read.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True, slots=True)
class Bomb:
    """A file to be made.

    Attributes
    ----------
    name : str
        With the ending of its format.
    make : callable
        Gives its bytes.
    is_read : bool or None
        Whether there is a picture to be read; None where either will do.
    is_small : bool
        Whether a test may take it: it costs next to nothing to make, and to read.
    reason : str
        What the reason has to say, where it is not read.
    """

    name: str
    make: Callable[[], bytes]
    is_read: bool | None = False
    is_small: bool = False
    reason: str = ""


def every() -> Iterator[Bomb]:
    """Yield all of them."""
    for family in (_webps, _pngs, _jpegs, _gifs, _bmps, _tiffs, _boxed, _others):
        yield from family()


def zeros(n_bytes: int, level: int = 9) -> bytes:
    """Return so many zeros as zlib packs them, made in little memory."""
    packing = zlib.compressobj(level)
    piece = bytes(1 << 20)
    parts = [packing.compress(piece) for _ in range(n_bytes >> 20)]
    parts.append(packing.compress(bytes(n_bytes & (1 << 20) - 1)))
    return b"".join([*parts, packing.flush()])


# --- WebP


def _riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) for name, content in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _vp8l(width: int, height: int, body: bytes = b"") -> tuple[bytes, bytes]:
    return b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | (height - 1) << 14) + body


_FLAT = bytes.fromhex("07110d00000000")  # trees of one symbol each: no bits a pixel


def _flat_vp8l(width: int, height: int) -> tuple[bytes, bytes]:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (16, 16), (9, 9, 9)).save(stream, "WEBP", lossless=True, exact=True)
    content = stream.getvalue()[20:]
    return _vp8l(width, height, content[5:])


def _canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes([flags, 0, 0, 0]) + sides


def _frames(width: int, height: int, n: int) -> bytes:
    name, content = _flat_vp8l(width, height)
    frame = name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    head = bytes(6) + sides + (10).to_bytes(3, "little") + b"\0"
    return _riff(_canvas(width, height, 2), (b"ANIM", bytes(6)), *[(b"ANMF", head + frame)] * n)


def _webps() -> Iterator[Bomb]:
    yield Bomb("34_bytes.webp", lambda: _riff(_vp8l(16383, 15200, _FLAT)), is_small=True, reason="too few")
    yield Bomb("flat.webp", lambda: _riff(_flat_vp8l(16383, 15000)), is_small=True, reason="too few")
    yield Bomb("flat_small.webp", lambda: _riff(_flat_vp8l(3000, 2000)), None)
    lossy = b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 16383, 15000) + bytes(40)
    yield Bomb("lossy.webp", lambda: _riff((b"VP8 ", lossy)), is_small=True, reason="too few")
    yield Bomb("canvas.webp", lambda: _riff(_canvas(16383, 15000), _flat_vp8l(1, 1)), is_small=True)
    yield Bomb("huge_canvas.webp", lambda: _riff(_canvas(1 << 24, 1 << 8)), is_small=True, reason="too large")
    yield Bomb("frames.webp", lambda: _frames(4000, 4000, 2000), None)
    yield Bomb(
        "alpha.webp", lambda: _riff(_canvas(16383, 15000, 16), (b"ALPH", b"\1" + _FLAT), (b"VP8 ", lossy))
    )
    yield Bomb("chunks.webp", lambda: _riff(_canvas(4000, 3000), *[(b"JUNK", b"")] * 500_000), is_small=False)


# --- PNG

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(content, zlib.crc32(kind)).to_bytes(4)


def png(
    width: int,
    height: int,
    depth: int,
    colors: int,
    packed: bytes,
    *,
    interlaced: bool = False,
    more: bytes = b"",
) -> bytes:
    """Put a PNG together."""
    head = struct.pack(">IIBBBBB", width, height, depth, colors, 0, 0, int(interlaced))
    return b"".join([_SIGNATURE, _chunk(b"IHDR", head), more, _chunk(b"IDAT", packed), _chunk(b"IEND", b"")])


def _flat_png(width: int, height: int, depth: int, colors: int, **options: bool) -> bytes:
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colors]
    return png(
        width, height, depth, colors, zeros(height * (1 + -(-width * samples * depth // 8))), **options
    )


def _pngs() -> Iterator[Bomb]:
    yield Bomb("1_pixel_wide.png", lambda: _flat_png(1, 249_000_000, 8, 0), reason="no picture")
    yield Bomb("few_kb.png", lambda: png(1, 249_000_000, 8, 0, zeros(4_000_000)), is_small=True)
    yield Bomb("100_wide.png", lambda: _flat_png(100, 2_490_000, 8, 0), None)
    yield Bomb("grey_16.png", lambda: _flat_png(15_700, 15_700, 16, 0), True)
    yield Bomb("grey_16_25.png", lambda: _flat_png(5_000, 5_000, 16, 0), True)
    yield Bomb("rgba_16.png", lambda: _flat_png(15_700, 15_700, 16, 6), None)
    yield Bomb("rgba.png", lambda: _flat_png(15_000, 15_000, 8, 6), None)
    yield Bomb("one_bit.png", lambda: _flat_png(15_700, 15_700, 1, 0), True)
    yield Bomb("interlaced.png", lambda: _flat_png(12_000, 12_000, 8, 2, interlaced=True), None)
    yield Bomb(
        "few_bytes.png", lambda: png(15_700, 15_700, 8, 2, zeros(1000)), is_small=True, reason="too few"
    )
    yield Bomb("cut.png", lambda: _flat_png(9_000, 9_000, 8, 2)[:-20_000], None)
    for kind, head, n_bytes, n in (
        ("profile", b"iCCPx\0\0", 1 << 30, 1),
        ("text", b"zTXtx\0\0", 1 << 28, 20),
        ("xmp", b"iTXtXML:com.adobe.xmp\0\1\0\0\0", 1 << 29, 1),
        ("chunks", b"tIME", -1, 3_000_000),
    ):
        yield Bomb(f"{kind}.png", partial(_with_chunks, head, n_bytes, n), None if kind == "chunks" else True)
    exif = partial(_shared_exif, 1 << 22)
    yield Bomb("exif.png", lambda: png(64, 64, 8, 0, zeros(65 * 64), more=_chunk(b"eXIf", exif())), True)


def _with_chunks(head: bytes, n_bytes: int, n: int) -> bytes:
    """Return a small picture behind so many chunks of so many zeros, packed."""
    chunk = _chunk(head[:4], head[4:] + (zeros(n_bytes) if n_bytes >= 0 else b""))
    return png(64, 64, 8, 0, zeros(65 * 64), more=chunk * n)


def _shared_exif(n_bytes: int) -> bytes:
    """Return Exif of as many entries as fit, each of which has all of it for its value."""
    count = min(n_bytes // 24, 60_000)
    entries = b"".join(struct.pack("<HHII", tag + 300, 7, n_bytes - 8, 8) for tag in range(count))
    return (b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4)).ljust(n_bytes, b"\0")


# --- JPEG


def jpeg(width: int, height: int, **options: object) -> bytes:
    """Return a JPEG that Pillow writes."""
    from PIL import Image

    stream = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(stream, "JPEG", **options)
    return stream.getvalue()


def _resized(data: bytes, width: int, height: int) -> bytes:
    """Have the frame of a JPEG claim another size."""
    at = next(found for marker in (b"\xff\xc0", b"\xff\xc2") if (found := data.find(marker)) >= 0)
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def _scans(width: int, height: int, n: int) -> bytes:
    """Return a progressive grey JPEG whose first scan is repeated, of blocks that say nothing."""
    table = _segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0")  # DC: one code, of no bits
    table += _segment(0xC4, b"\x10" + bytes([1, 1] + [0] * 14) + b"\xe0\0")  # AC: runs of 16,384 blocks
    frame = _segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    quantization = _segment(0xDB, b"\0" + bytes([1] * 64))
    n_blocks = -(-width // 8) * -(-height // 8)
    first = _segment(0xDA, b"\1\1\0\0\0\0") + bytes(-(-n_blocks // 8))
    run = _segment(0xDA, b"\1\1\0\1\x3f\0") + _bits("0" + "0" * 14, -(-n_blocks // 16_384))
    return b"\xff\xd8" + quantization + frame + table + first + run * n + b"\xff\xd9"


def _bits(word: str, n: int) -> bytes:
    bits = word * n
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (2 + len(content)).to_bytes(2) + content


def _jpegs() -> Iterator[Bomb]:
    yield Bomb("scans.jpg", lambda: _scans(15_000, 15_000, 900), None)
    yield Bomb("scans_of_4_megapixels.jpg", lambda: _scans(2000, 2000, 30_000), None)
    photo = jpeg(400, 300)
    yield Bomb("padding.jpg", lambda: photo[:2] + b"\xff" * 60_000_000 + photo[2:], True)
    yield Bomb("padding_in_scan.jpg", lambda: photo[:-2] + b"\xff" * 60_000_000 + photo[-2:], True)
    yield Bomb("padding_at_end.jpg", lambda: photo + b"\xff" * 60_000_000, True)
    yield Bomb("padding_no_end.jpg", lambda: photo[:-2] + b"\xff" * 60_000_000, None)
    yield Bomb("large.jpg", lambda: _resized(photo, 15_700, 15_700), is_small=True, reason="too few")
    yield Bomb(
        "progressive.jpg", lambda: _resized(jpeg(400, 300, progressive=True), 15_700, 15_700), is_small=True
    )
    comment = _segment(0xFE, b"")
    yield Bomb("segments.jpg", lambda: photo[:2] + comment * 5_000_000 + photo[2:], reason="10,000 segments")
    exif = _segment(0xE1, b"Exif\0\0" + _shared_exif(60_000))
    yield Bomb("exif.jpg", lambda: photo[:2] + exif + photo[2:], True, is_small=True)
    piece = _segment(0xE1, b"Exif\0\0" + bytes(65_000))
    yield Bomb("exif_in_pieces.jpg", lambda: photo[:2] + piece * 1500 + photo[2:], reason="64 MiB")
    yield Bomb("exif_in_fewer_pieces.jpg", lambda: photo[:2] + piece * 900 + photo[2:], None)
    yield Bomb("profile.jpg", lambda: photo[:2] + _many_profiles() + photo[2:], None)
    yield Bomb("cut_progressive.jpg", lambda: jpeg(9000, 7000, progressive=True)[:-9000], None)


def _many_profiles() -> bytes:
    """Return four profiles of 255 segments each."""
    parts = (b"ICC_PROFILE\0" + bytes([n, 255]) + bytes(65_000) for n in range(1, 256))
    return 4 * b"".join(_segment(0xE2, part) for part in parts)


# --- GIF, BMP


_MUCH = int("10_000_000")  # no constant, of which Python would make the bytes beforehand


def _lzw_flat(n_pixels: int) -> bytes:
    """Return the sub-blocks of so many pixels of colour 0."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("P", (4000, max(1, n_pixels // 4000))).save(stream, "GIF")
    data = stream.getvalue()
    at = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    return data[at + 10 : -1]


def _gif(screen: tuple[int, int], frame: tuple[int, int], pixels: bytes, before: bytes = b"") -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + bytes(6)
    return head + before + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + pixels + b";"


def _gifs() -> Iterator[Bomb]:
    few = b"\2\3\x84\x51\0\0"
    yield Bomb("screen.gif", lambda: _gif((15_700, 15_700), (1, 1), few), is_small=True, reason="too few")
    yield Bomb("frame.gif", lambda: _gif((1, 1), (15_700, 15_700), few), is_small=True, reason="too few")
    yield Bomb(
        "too_large.gif", lambda: _gif((65_535, 65_535), (1, 1), few), is_small=True, reason="too large"
    )
    yield Bomb("comment.gif", lambda: _gif((64, 64), (64, 64), few, b"!\xfe" + b"\1x" * _MUCH + b"\0"), None)
    yield Bomb("extensions.gif", lambda: _gif((64, 64), (64, 64), few, b"!\xfe\0" * _MUCH), None)
    yield Bomb("flat.gif", lambda: _gif((4000, 62_000), (4000, 62_000), _lzw_flat(248_000_000)), None)


def _bmp(width: int, height: int, bits: int, compression: int, body: bytes) -> bytes:
    palette = bytes(4 << bits) if bits <= 8 else b""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, 0, 0)
    offset = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset) + head + palette + body


def _bmps() -> Iterator[Bomb]:
    yield Bomb("empty.bmp", lambda: _bmp(15_700, 15_700, 24, 0, b""), is_small=True, reason="too few")
    yield Bomb("rle.bmp", lambda: _bmp(15_700, 15_700, 8, 1, b"\xff\0" * 966_627), None)
    yield Bomb("rle_lines.bmp", lambda: _bmp(15_700, 15_700, 8, 1, b"\1\0\0\0" * 15_700), is_small=True)
    yield Bomb("rle_4.bmp", lambda: _bmp(15_000, 15_000, 4, 2, b"\xff\x12" * 900_000), None)
    yield Bomb("rle_jump.bmp", lambda: _bmp(15_700, 15_700, 8, 1, b"\0\2\xff\xff" * 100), is_small=True)
    yield Bomb("rle_nothing.bmp", lambda: _bmp(4000, 4000, 8, 1, b"\0\0" * 30_000_000), None)
    yield Bomb("elongated.bmp", lambda: _bmp(1, 62_000_000, 1, 0, bytes(4) * 62_000_000), None)


# --- TIFF


def tiff(entries: dict[int, tuple[int, ...]], body: bytes) -> bytes:
    """Put a TIFF together: every number a LONG; the body begins at offset 8."""
    at = 8 + len(body)
    parts, values = [], b""
    end = at + 2 + 12 * len(entries) + 4
    for tag, numbers in sorted(entries.items()):
        packed = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(numbers) == 1:
            parts.append(struct.pack("<HHI", tag, 4, 1) + packed)
        else:
            parts.append(struct.pack("<HHII", tag, 4, len(numbers), end + len(values)))
            values += packed
    directory = struct.pack("<H", len(entries)) + b"".join(parts) + bytes(4)
    return b"II*\0" + struct.pack("<I", at) + body + directory + values


def _tiff(width: int, height: int, bits: int, compression: int, body: bytes, **more: int) -> bytes:
    samples = more.get("samples", 1)
    rows = more.get("rows", height)
    entries = {
        256: (width,),
        257: (height,),
        258: (bits,),
        259: (compression,),
        262: (more.get("photometric", 1),),
        273: (8,),
        277: (samples,),
        278: (rows,),
        279: (len(body),),
        339: (more.get("form", 1),),
    }
    if "tile" in more:
        for tag in (273, 278, 279):
            del entries[tag]
        side = more["tile"]
        n = -(-width // side) * -(-height // side)
        entries |= {322: (side,), 323: (side,), 324: (8,) * n, 325: (len(body),) * n}
    return tiff(entries, body)


def _shared_tags() -> bytes:
    """Return a small picture whose thousand tags share ten megabytes."""
    whole = _tiff(16, 16, 8, 1, bytes(256) + bytes(10_000_000))
    (at,) = struct.unpack_from("<I", whole, 4)
    (n,) = struct.unpack_from("<H", whole, at)
    more = b"".join(struct.pack("<HHII", 40_000 + tag, 7, 10_000_000, 8) for tag in range(1000))
    return whole[:at] + struct.pack("<H", n + 1000) + whole[at + 2 : at + 2 + 12 * n] + more + bytes(4)


def _tiffs() -> Iterator[Bomb]:
    yield Bomb("float.tif", lambda: _tiff(15_700, 15_700, 32, 8, zeros(4 * 15_700**2), form=3), None)
    yield Bomb("float_25.tif", lambda: _tiff(5_000, 5_000, 32, 8, zeros(4 * 5_000**2), form=3), True)
    yield Bomb("rows.tif", lambda: _tiff(1, 249_000_000, 8, 8, b"", rows=1), is_small=True)
    yield Bomb(
        "rows_wide.tif", lambda: _tiff(250, 990_000, 8, 5, bytes(60), rows=1), is_small=True, reason="too few"
    )
    yield Bomb(
        "uncompressed.tif", lambda: _tiff(15_700, 15_700, 8, 1, bytes(60)), is_small=True, reason="too few"
    )
    yield Bomb("one_strip.tif", lambda: _tiff(15_700, 15_700, 8, 8, zeros(249_000_000)), None)
    yield Bomb("lzw.tif", lambda: _tiff(15_700, 15_700, 16, 5, bytes(2000)), is_small=True, reason="too few")
    yield Bomb("packbits.tif", lambda: _tiff(15_000, 15_000, 8, 32773, b"\x81\0" * 1_757_813), None)
    yield Bomb("fax.tif", lambda: _tiff(15_700, 15_700, 1, 4, b"\xff" * 2000, photometric=0), None)
    yield Bomb("fax_few.tif", lambda: _tiff(15_700, 15_700, 1, 4, b"\xff" * 20, photometric=0), None)
    yield Bomb("jpeg.tif", lambda: _tiff(15_700, 15_700, 8, 7, jpeg(64, 64)), is_small=True, reason="too few")
    yield Bomb("tiles.tif", lambda: _tiff(15_600, 15_600, 8, 8, zeros(16 * 16), tile=16), None)
    yield Bomb("large_tiles.tif", lambda: _tiff(64, 64, 8, 8, zeros(1 << 24), tile=1 << 16), None)
    yield Bomb("shared_tags.tif", _shared_tags, is_small=False)
    yield Bomb("deep.tif", lambda: _tiff(10_000, 10_000, 64, 8, zeros(8 * 10_000**2), form=3), None)
    yield Bomb("many_samples.tif", lambda: _tiff(400, 400, 8, 8, zeros(400 * 400 * 1000), samples=1000), None)
    yield Bomb(
        "damaged.tif", lambda: _tiff(2000, 2000, 8, 5, b"\xa5" * 5000), is_small=True, reason="damaged TIFF"
    )
    yield Bomb(
        "damaged_deflate.tif",
        lambda: _tiff(2000, 2000, 8, 8, b"\xa5" * 5000),
        is_small=True,
        reason="damaged",
    )


# --- HEIC, AVIF, JPEG XL, camera files


def _saved(form: str, width: int, height: int, **options: object) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    if form == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    if form == "JXL":
        import pillow_jxl  # noqa: F401

    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(stream, form, **options)
    return stream.getvalue()


def _claiming(data: bytes, width: int, height: int) -> bytes:
    """Have the property of an ISO base media file, and nothing else, claim another size."""
    at = data.index(b"ispe")
    return data[: at + 8] + struct.pack(">II", width, height) + data[at + 16 :]


def grid_heic(columns: int, rows: int) -> bytes:
    """Return a HEIC as phones write them, a grid of tiles of 512 × 512, all of which share their bytes."""
    tile = _saved("HEIF", 512, 512)
    at = tile.index(b"hvcC") - 4
    decoder = tile[at : at + int.from_bytes(tile[at : at + 4])]
    at = tile.index(b"mdat")
    pixels = tile[at + 4 : at - 4 + int.from_bytes(tile[at - 4 : at])]
    n = columns * rows
    whole, items = n + 1, range(1, n + 1)
    layout = bytes([0, 1, rows - 1, columns - 1]) + struct.pack(">II", 512 * columns, 512 * rows)
    kinds = [(item, b"hvc1") for item in items] + [(whole, b"grid")]
    properties = [
        decoder,
        *(
            _box(b"ispe", bytes(4) + struct.pack(">II", *size))
            for size in ((512, 512), (512 * columns, 512 * rows))
        ),
    ]
    owned = [struct.pack(">HBBB", item, 2, 0x81, 2) for item in items] + [struct.pack(">HBB", whole, 1, 3)]

    def meta(start: int) -> bytes:
        places = [(item, start, len(pixels)) for item in items] + [(whole, start + len(pixels), len(layout))]
        return _box(
            b"meta",
            bytes(4)
            + _box(b"hdlr", bytes(8) + b"pict" + bytes(13))
            + _box(b"pitm", bytes(4) + struct.pack(">H", whole))
            + _box(
                b"iloc",
                struct.pack(">IHH", 0, 0x4400, n + 1)
                + b"".join(struct.pack(">HHHII", item, 0, 1, *place) for item, *place in places),
            )
            + _box(
                b"iinf",
                struct.pack(">IH", 0, n + 1)
                + b"".join(
                    _box(b"infe", struct.pack(">IHH", 2 << 24, item, 0) + kind + b"\0")
                    for item, kind in kinds
                ),
            )
            + _box(b"iref", bytes(4) + _box(b"dimg", struct.pack(f">HH{n}H", whole, n, *items)))
            + _box(
                b"iprp",
                _box(b"ipco", b"".join(properties))
                + _box(b"ipma", struct.pack(">II", 0, n + 1) + b"".join(owned)),
            ),
        )

    head = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", pixels + layout)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _boxed() -> Iterator[Bomb]:
    yield Bomb(
        "large.avif",
        lambda: _claiming(_saved("AVIF", 64, 64), 15_700, 15_700),
        is_small=True,
        reason="too few",
    )
    yield Bomb(
        "large.heic",
        lambda: _claiming(_saved("HEIF", 64, 64), 15_700, 15_700),
        is_small=True,
        reason="too few",
    )
    yield Bomb("small.avif", lambda: _claiming(_saved("AVIF", 4000, 4000, speed=10), 64, 64), None)
    yield Bomb("small.heic", lambda: _claiming(_saved("HEIF", 1500, 1500), 64, 64), None)
    yield Bomb("honest.avif", lambda: _saved("AVIF", 4000, 3000, speed=10), True)
    yield Bomb("phone.heic", lambda: grid_heic(32, 24), True)  # 201 megapixels
    box = _box(b"free", b"")
    yield Bomb(
        "boxes.heic", lambda: (lambda d: d[:24] + box * 3_000_000 + d[24:])(_saved("HEIF", 64, 64)), None
    )


def _others() -> Iterator[Bomb]:
    # A codestream's header alone: no ratio, two sides of 30 bits (ISO/IEC 18181-1, D.3).
    bits = 0 | 3 << 1 | (15_700 - 1) << 3 | 0 << 33 | 3 << 36 | (15_700 - 1) << 38
    yield Bomb(
        "large.jxl", lambda: b"\xff\x0a" + bits.to_bytes(12, "little") + bytes(20), reason="", is_small=True
    )
    yield Bomb("honest.jxl", lambda: _saved("JXL", 4000, 3000, effort=1), True)
    yield Bomb("cut.jxl", lambda: _saved("JXL", 4000, 3000, effort=1)[:2000], None)
    yield Bomb("raw.cr2", lambda: b"II*\0\x10\0\0\0CR\2\0" + bytes(1 << 20), reason="")
    yield Bomb("raf.raf", lambda: b"FUJIFILMCCD-RAW " + bytes(1 << 20), reason="")
    yield Bomb("dng.dng", _large_dng, None)


def _large_dng() -> bytes:
    """Return sensor data of 240 megapixels that are not there."""
    entries = {
        256: (15_000,),
        257: (16_000,),
        258: (16,),
        259: (1,),
        262: (32803,),
        271: (0x41414141,),
        273: (8,),
        277: (1,),
        278: (16_000,),
        279: (480_000_000,),
        33421: (0x00020002,),
        33422: (0x02010100,),
        50706: (0x00000401,),
    }
    return tiff(entries, bytes(1 << 20))
