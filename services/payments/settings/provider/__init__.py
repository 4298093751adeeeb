"""One provider: what it speaks, where it is, and each thing that may be set of it."""

from services.payments.settings.provider.account_checks import (
    AccountCheckSettings,
    Asked,
    WhileAway,
)
from services.payments.settings.provider.bank_file import BankFileSettings
from services.payments.settings.provider.cash_list import CashListSettings, PayoutPlace
from services.payments.settings.provider.pace import ProviderPace
from services.payments.settings.provider.provider import ProviderSettings, WrongPlace

__all__ = [
    "AccountCheckSettings",
    "Asked",
    "BankFileSettings",
    "CashListSettings",
    "PayoutPlace",
    "ProviderPace",
    "ProviderSettings",
    "WhileAway",
    "WrongPlace",
]
