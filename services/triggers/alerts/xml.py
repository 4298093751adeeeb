"""Writing XML: elements in order, and text that no word of anybody's can break out of."""

import re
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
ATOM = "http://www.w3.org/2005/Atom"
FEED_HISTORY = "http://purl.org/syndication/history/1.0"

# What no XML 1.0 document may hold, however it is escaped.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def put(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """A further element in the namespace of its parent, with its text."""
    namespace = parent.tag.partition("}")[0]
    element = SubElement(parent, f"{namespace}}}{name}", attributes)
    if text is not None:
        element.text = fit(text)
    return element


def fit(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _UNFIT.sub("�", text)


def root_of(namespace: str, name: str) -> Element:
    return Element(f"{{{namespace}}}{name}")


def as_document(root: Element) -> bytes:
    """The document in UTF-8, its namespace without a prefix."""
    namespace = root.tag.partition("}")[0].removeprefix("{")
    register_namespace("", namespace)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written
