"""What leaves: a file, its checksum and its signature, and a record of it that is ours alone.

The record is written before the file leaves, and a mark after it has. It holds no account: which
lines the file has, and the checksum of its bytes. Without a mark nothing says that the file left;
without a record it never did.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.payments.providers.bankfile.folders import SIGNATURE_SUFFIX, Put, make_directory, put
from services.payments.providers.bankfile.references import reference_of
from services.payments.providers.protocol import Permit
from services.payments.settings import BankFileSettings


class Differs(Exception):
    """What was to leave was there already, with other bytes."""


class NotPermitted(Exception):
    """It may not leave now. Says why, as a code."""


class MayHaveLeft(Exception):
    """Something went wrong while it left: nobody here knows whether it did."""


class Outbox:
    """Writes files where one bank fetches them. Every call may raise OSError."""

    def __init__(self, bank: BankFileSettings, key: Ed25519PrivateKey) -> None:
        self._outgoing = bank.outgoing_directory
        self._sent = bank.state_directory / "sent"
        self._key = key

    def send(
        self, message_id: str, content: bytes, lines: Collection[UUID], *, permit: Permit
    ) -> None:
        """Have a file leave, once; raises Differs, NotPermitted, MayHaveLeft, OSError.

        What left before with the same bytes has left. With an OSError it did not leave this time.
        """
        make_directory(self._sent)
        record = orjson.dumps(
            {
                "sha256": hashlib.sha256(content).hexdigest(),
                "lines": [reference_of(line) for line in lines],
            }
        )
        self._put(self._record(message_id), record)
        if self._mark(message_id).exists():
            return
        path = self._path(message_id)
        checksum = f"{hashlib.sha256(content).hexdigest()}  {path.name}\n".encode()
        # The bank looks for the file: what belongs to it is there before it is.
        self._put(path.with_name(f"{path.name}.sha256"), checksum)
        self._put(path.with_name(f"{path.name}{SIGNATURE_SUFFIX}"), self._key.sign(content))
        if (refusal := permit.refusal()) is not None:
            raise NotPermitted(refusal)
        try:
            self._put(path, content)
            put(self._mark(message_id), b"")
        except OSError as error:
            raise MayHaveLeft from error

    def may_have_left(self, message_id: str) -> bool:
        """Whether anything says that a file left."""
        return self._mark(message_id).exists() or self._path(message_id).exists()

    def lines_of(self, message_id: str) -> frozenset[UUID] | None:
        """The lines of a file that was to leave, or None: there is none of that name."""
        try:
            record = orjson.loads(self._record(message_id).read_bytes())
            return frozenset(UUID(line) for line in record["lines"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, LookupError) as error:
            raise OSError(f"the record of {message_id} is damaged") from error

    def _put(self, path: Path, content: bytes) -> None:
        if put(path, content) is Put.DIFFERS:
            raise Differs

    def _path(self, message_id: str) -> Path:
        return self._outgoing / f"{message_id}.xml"

    def _record(self, message_id: str) -> Path:
        return self._sent / f"{message_id}.json"

    def _mark(self, message_id: str) -> Path:
        return self._sent / f"{message_id}.delivered"
