"""XMP packets: properties as RDF in XML (ISO 16684-1).

A document type is refused, so nothing is ever expanded; what is no XML says nothing.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_ARRAYS = {f"{_RDF}{kind}" for kind in ("Bag", "Seq", "Alt")}

_NAMESPACES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
}

_MARKUP = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def read_xmp(packet: bytes) -> dict[str, list[str]]:
    """Return the values of each property of those name spaces that are of use, as ``dc:subject``.

    An array gives its items, of alternatives in several languages the default one; a structure nothing.
    """
    text = _decode(packet)
    if not text or _MARKUP.search(text):
        return {}
    try:
        root = Xml.fromstring(text)
    except (Xml.ParseError, ValueError):  # ValueError: lone surrogates
        return {}
    found: dict[str, list[str]] = {}
    for rdf in root.iter(f"{_RDF}RDF"):
        for description in rdf.iterfind(f"{_RDF}Description"):
            for name, value in description.attrib.items():
                _keep(found, name, [value])
            for element in description:
                _keep(found, element.tag, _values(element))
    return found


def _decode(packet: bytes) -> str:
    """Take what lies between the packet's wrappers, which carry its encoding."""
    head = packet[:4]
    encoding = "utf-8"
    if head[:2] in (b"\xfe\xff", b"\xff\xfe"):
        encoding = "utf-16"
    elif head[:2] == b"\0<" or head[1:2] == b"\0":
        encoding = "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
    text = packet.decode(encoding, "replace")
    start, end = text.find("<"), text.rfind(">")
    # A declaration may stand only at the very beginning, and its encoding is no longer true.
    return re.sub(r"^<\?xml[^>]*\?>", "", text[start : end + 1]) if start >= 0 else ""


def _keep(found: dict[str, list[str]], name: str, values: list[str]) -> None:
    space, _, local = name[1:].partition("}")
    prefix = _NAMESPACES.get(space)
    if prefix is not None and values:
        found.setdefault(f"{prefix}:{local}", values)


def _values(element: Xml.Element) -> list[str]:
    array = next((child for child in element if child.tag in _ARRAYS), None)
    if array is None:
        return [element.text] if element.text and not len(element) else []
    items = [item for item in array if item.text]
    if array.tag == f"{_RDF}Alt":
        items.sort(key=lambda item: item.get(_LANGUAGE, "").lower() != "x-default")
        items = items[:1]
    return [item.text or "" for item in items]
