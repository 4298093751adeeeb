"""XML from outside: parsed without entities, definitions of types or anything from elsewhere."""

from typing import Any

from lxml import etree

MAXIMUM_BYTES = 8 * 1024 * 1024
MAXIMUM_ELEMENTS = 100_000
Element = Any
"""An element of lxml, which has no types."""


class XmlRefused(ValueError):
    """XML that is not read; says why, for whoever published it."""


def parsed(content: bytes) -> Element:
    """The root of a document; raises XmlRefused."""
    if len(content) > MAXIMUM_BYTES:
        raise XmlRefused(f"It has more than {MAXIMUM_BYTES:,} bytes, which no alerts need.")
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,  # libxml2 itself refuses what nests deeper than 256
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise XmlRefused("It is no well-formed XML, or it nests too deeply.") from None
    information = root.getroottree().docinfo
    if information.doctype or information.internalDTD is not None:
        raise XmlRefused("It defines types or entities (DOCTYPE), which is never needed here.")
    for count, _ in enumerate(root.iter(), start=1):
        if count > MAXIMUM_ELEMENTS:
            raise XmlRefused(f"It has more than {MAXIMUM_ELEMENTS:,} elements.")
    return root


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(etree.QName(element).localname)


def namespace(element: Element) -> str:
    return etree.QName(element).namespace or ""


def written(element: Element) -> bytes:
    """An element as a document of its own."""
    content: bytes = etree.tostring(element, with_tail=False)
    return content
