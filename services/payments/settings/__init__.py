"""What the payments service is told by its environment, one file for each concern.

Each process has a class of its own, which reads no secret that it does not use.
"""

from services.payments.settings.api import ApiSettings
from services.payments.settings.provider import BankFileSettings, ProviderSettings, WrongPlace
from services.payments.settings.service import Settings
from services.payments.settings.worker import WorkerSettings

__all__ = [
    "ApiSettings",
    "BankFileSettings",
    "ProviderSettings",
    "Settings",
    "WorkerSettings",
    "WrongPlace",
]
