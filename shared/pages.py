"""Pages to be read and printed: one style, and the headers that keep what is on them there.

A page holds its pictures and asks for nothing else, so it can be saved and sent. No script runs
in it, and whatever somebody wrote is to be escaped by whoever makes the body.
"""

from html import escape
from typing import Any

from shared.wording.phrase import Language, Phrase

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}}
}
"""How a route that answers a page is described."""

_STYLE = """
body { font: 15px/1.6 "Noto Sans Khmer", "Khmer OS", sans-serif; color: #222; margin: 2rem auto;
  max-width: 62rem; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
figure { margin: 1rem 0 } img { max-width: 100%; height: auto; border: 1px solid #d9dde2 }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.5rem 0 }
td, th { border: 1px solid #d9dde2; padding: 0.2rem 0.6rem; text-align: left; vertical-align: top }
td.figure, th.figure { text-align: right } td.figure { white-space: nowrap }
.both { display: grid; grid-template-columns: 1fr 1fr; gap: 2rem }
.verdict { font-size: 1.2rem; border: 2px solid; padding: 0.4rem 0.8rem; margin: 1rem 0 }
.signatures { width: 100% } .signatures td { height: 4rem; width: 50% }
span[lang=km] { color: #456b8f }
@page { size: A4; margin: 14mm 12mm } @page wide { size: A4 landscape } .wide { page: wide }
@media print { body { margin: 0; max-width: none; padding: 0 } table { font-size: 0.65rem }
  td, th { padding: 0.15rem 0.3rem; overflow-wrap: break-word }
  h2 { break-after: avoid } figure, tr { break-inside: avoid } }
"""


def document(
    title: Phrase, body: str, *, language: Language = Language.ENGLISH, is_wide: bool = False
) -> str:
    """A page with its title in both languages; ``body`` is HTML, mostly in ``language``.

    A wide one has tables of many columns: it is printed on paper that lies on its side.
    """
    width = ' class="wide"' if is_wide else ""
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title.in_language(language))}</title><style>{_STYLE}</style></head>"
        f"<body{width}>"
        f"<h1>{words(title)}</h1>{body}</body></html>"
    )


def words(phrase: Phrase, *, between: str = "<br>") -> str:
    """The phrase in both languages, escaped; once where it is the same in both."""
    if phrase.en == phrase.km:
        return escape(phrase.en)
    return f'{escape(phrase.en)}{between}<span lang="km">{escape(phrase.km)}</span>'
