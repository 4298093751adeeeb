"""The bank at work: it fetches files, books them, and says what became of them."""

import base64
import hashlib
import os
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sandbox.bank import reports
from sandbox.bank.book import Book, Booked, Saying
from sandbox.bank.misbehaviour import Temperament
from sandbox.bank.options import BankOptions
from sandbox.bank.orders import File, read_file
from sandbox.clock import CLOCK

REPEATED = "DU01"
PAID_BEFORE = "DU04"
TOO_LONG = "FF01"
"""Invalid file format: ISO 20022 has no code of its own for a file with too many lines."""
_REST_SECONDS = 0.02


class Counter:
    """One bank."""

    def __init__(self, options: BankOptions, book: Book) -> None:
        self._options = options
        self._book = book
        self._key = Ed25519PublicKey.from_public_bytes(base64.b64decode(options.public_key))
        self._signing_key = (
            Ed25519PrivateKey.from_private_bytes(base64.b64decode(options.signing_key))
            if options.signing_key
            else None
        )
        self._temperament = Temperament(
            seed=options.seed,
            kinds=options.misbehave,
            share=options.share,
            bad_account_share=options.bad_account_share,
        )
        self.ending = False

    def work(self) -> None:
        """Until somebody sets `ending`."""
        while not self.ending:
            done = self.fetch() + self.tell()
            if not done:
                time.sleep(_REST_SECONDS)

    def fetch(self) -> int:
        """Book every file that is there, and take it away; returns how many."""
        paths = sorted(
            path for path in self._options.fetch.glob("*.xml") if not path.name.startswith(".")
        )
        for path in paths:
            file = read_file(path, self._key)
            with self._book.commit():
                self._book.say(self._booked(file, now=CLOCK.seconds()))
            for suffix in ("", ".sha256", ".sig"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        return len(paths)

    def tell(self) -> int:
        """Write what is due to be said; returns how much."""
        due = self._book.due(now=CLOCK.seconds())
        for saying in due:
            self._write(saying)
            with self._book.commit():
                self._book.said(saying)
        return len(due)

    def _booked(self, file: File, *, now: float) -> list[Saying]:
        """Book a file, once; what will be said of it."""
        name, delay = file.message_id, self._options.delay_seconds
        if self._book.count_copy(name):
            return reports.refusal(name, REPEATED, now=now, delay=delay)
        is_too_long = 0 < self._options.most_lines < len(file.lines)
        fault = file.fault or (TOO_LONG if is_too_long else None)
        self._book.keep_file(file, fault)
        if fault is not None:
            return reports.refusal(name, fault, now=now, delay=delay)
        booked = [
            self._line(line.end_to_end_id, line.account)
            for line in file.lines
            if not self._book.is_paid(line.end_to_end_id)
        ]
        self._book.keep_payments(file, booked, now=now)
        new = {each.end_to_end_id for each in booked}
        booked += [
            Booked(line.end_to_end_id, PAID_BEFORE, None)
            for line in file.lines
            if line.end_to_end_id not in new
        ]
        wrong = self._temperament.misbehaviour(name)
        return reports.results(name, booked, wrong=wrong, now=now, delay=delay)

    def _line(self, end_to_end_id: str, account: str) -> Booked:
        fault = self._temperament.account_fault(account)
        reference = None if fault else hashlib.sha256(end_to_end_id.encode()).hexdigest()[:24]
        return Booked(end_to_end_id, fault, reference)

    def _write(self, saying: Saying) -> None:
        """Where the bank half-writes, it does so where everybody sees it."""
        path = self._options.tell / saying.name
        if self._signing_key is not None:
            path.with_name(f"{path.name}.sig").write_bytes(self._signing_key.sign(saying.content))
        if not saying.content.rstrip().endswith(b"</Document>"):
            path.write_bytes(saying.content)
            return
        unfinished = self._options.tell / f".{saying.name}"
        unfinished.write_bytes(saying.content)
        os.replace(unfinished, path)
