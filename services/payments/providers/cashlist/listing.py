"""What stands on a list: fixed when it is made, the same bytes however often they are asked for.

Pure. What a list is signed by, and an upload is compared with, is its CSV as it is issued, with
the columns for results empty.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.money import Money
from shared.payee_codes import payee_code

RESULT_COLUMNS = ("outcome", "paid_on", "reason", "paper_reference")
COLUMNS = ("list", "number", "code", "amount", "currency", *RESULT_COLUMNS)


@dataclass(frozen=True, slots=True)
class ListedPayment:
    """A line as it is printed."""

    number: int
    entitlement_id: UUID
    money: Money

    @property
    def code(self) -> str:
        """By which a household's line is told from others, on each paper about it."""
        return payee_code(self.entitlement_id)


def list_code(number: int, list_id: UUID) -> str:
    """By what a list is called on paper: its number, and the end of its id.

    After the database was put back to an earlier time a number may be given again; the end of the
    id tells the two papers apart.
    """
    return f"{number:06d}-{list_id.hex[-8:].upper()}"


def content_of(code: str, lines: Sequence[ListedPayment]) -> bytes:
    """The CSV of a list as it is issued, its lines in order."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        amount = f"{line.money.to_decimal():f}"
        empty = [""] * len(RESULT_COLUMNS)
        writer.writerow([code, line.number, line.code, amount, line.money.currency, *empty])
    return written.getvalue().encode()


def checksum_of(content: bytes) -> bytes:
    """SHA-256 of a list's CSV."""
    return hashlib.sha256(content).digest()


def printed_checksum(digest: bytes) -> str:
    """The first 80 bits of a list's checksum, for people to compare."""
    text = digest.hex()[:20].upper()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
