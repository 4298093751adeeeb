"""How a bank is set that takes files."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.payments.settings.provider.signing_key import is_signing_key

MOST_LINES_OF_A_FILE = 20_000
"""A report about all of them is shorter than what is read of one."""


class BankFileSettings(BaseModel):
    """How a bank takes files: where they are exchanged, and who pays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outgoing_directory: Path
    """Where the bank fetches what we write."""
    incoming_directory: Path
    """Where the bank writes what it says of it."""
    state_directory: Path
    """Ours alone: which files left, what came in, and what was set aside. It outlives processes,
    and all workers share it."""

    debtor_name: str = Field(min_length=1, max_length=140)
    debtor_id: str = Field(min_length=1, max_length=35)
    """The organisation's identifier at the bank."""
    debtor_account: str = Field(pattern="^[!-~]{1,34}$")
    """The account that is debited: the one that is prefunded."""
    debtor_agent_bic: str = Field(pattern="^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$")

    bank_public_keys: tuple[str, ...] = ()
    """Ed25519 keys of the bank, in base64; several while one is being rotated. Without any,
    whoever can write into the incoming directory is believed."""
    settling_seconds: float = Field(default=60, gt=0)
    """How long a file that came in has to be unchanged, until one that cannot be read is not taken
    for half-written any more."""

    @model_validator(mode="after")
    def _keeps_apart(self) -> Self:
        places = [self.outgoing_directory, self.incoming_directory, self.state_directory]
        if not all(place.is_absolute() for place in places):
            raise ValueError("give the directories of a bank file as absolute paths")
        if len(set(places)) < len(places):
            raise ValueError("outgoing, incoming and state are three directories")
        if not all(is_signing_key(key) for key in self.bank_public_keys):
            raise ValueError("a key of bank_public_keys is 32 bytes in base64")
        return self
