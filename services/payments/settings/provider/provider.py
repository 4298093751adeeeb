"""One provider, as payments is told of it."""

from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from services.payments.settings.provider.account_checks import AccountCheckSettings
from services.payments.settings.provider.bank_file import MOST_LINES_OF_A_FILE, BankFileSettings
from services.payments.settings.provider.batches import ProviderBatches
from services.payments.settings.provider.cash_list import PaysByList
from services.payments.settings.provider.charges import ProviderCharges
from services.payments.settings.provider.pace import ProviderPace
from services.payments.settings.provider.patience import ProviderPatience
from services.payments.settings.provider.repeats import ProviderRepeats
from shared.errors import Explained
from shared.money import CurrencyCode
from shared.settings import Address


class WrongPlace(Explained):
    """A provider's settings say that it is where its protocol cannot reach it."""


class ProviderSettings(
    AccountCheckSettings,
    ProviderBatches,
    ProviderCharges,
    ProviderPace,
    ProviderPatience,
    ProviderRepeats,
    PaysByList,
):
    """One provider: what it speaks, and where it is. Its secrets are with who uses them: the API's
    and the worker's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _tells_no_secret(cls, given: Any) -> Any:
        if isinstance(given, dict) and (found := {"api_key", "webhook_secrets"} & given.keys()):
            raise ValueError(
                f"take {' and '.join(sorted(found))} out: keys are given by provider in "
                "PAYMENTS_PROVIDER_API_KEYS, secrets in PAYMENTS_PROVIDER_WEBHOOK_SECRETS"
            )
        return given

    code: str = Field(pattern="^[a-z0-9-]{1,32}$")
    name: str
    protocol: str = "gsma-mobile-money-1.2"
    """Which adapter speaks to it: a name in ``providers/adapters.py``."""
    base_url: Address | None = None
    """Where one is that is spoken to over HTTP."""
    bank_file: BankFileSettings | None = None
    """Of one that takes files instead."""
    currency: CurrencyCode

    @property
    def url(self) -> str:
        """Where it is spoken to over HTTP; raises WrongPlace of any other."""
        if self.base_url is None:
            raise WrongPlace(
                f"Provider {self.code} has no base_url, and its protocol {self.protocol!r} is "
                "spoken over HTTP. In PAYMENTS_PROVIDERS, give it a base_url, or another protocol."
            )
        return self.base_url

    @property
    def files(self) -> BankFileSettings:
        """How it takes files; raises WrongPlace of any other."""
        if self.bank_file is None:
            raise WrongPlace(
                f"Provider {self.code} has no bank_file, and its protocol {self.protocol!r} takes "
                "files. In PAYMENTS_PROVIDERS, give it a bank_file, or another protocol."
            )
        return self.bank_file

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if [self.base_url, self.bank_file, self.cash_list].count(None) != 2:
            raise ValueError(
                "give base_url of a provider that is spoken to over HTTP, or bank_file of one that "
                "takes files, or cash_list of one that pays by hand"
            )
        if self.bank_file is not None and self.batch_lines > MOST_LINES_OF_A_FILE:
            raise ValueError(f"a file has {MOST_LINES_OF_A_FILE} lines at most: lower batch_lines")
        return self
