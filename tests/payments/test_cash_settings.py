"""The settings of a provider that pays by hand: what is wrong is told at the start."""

import json
from typing import Any

import pytest

from services.payments.providers.adapters import adapters_of
from services.payments.providers.cashlist.client import NotByList
from services.payments.settings import ProviderSettings, WorkerSettings, WrongPlace
from tests.payments.cash import environment, list_settings

__all__ = ["environment", "list_settings"]

BY_LIST: dict[str, Any] = {
    "code": "village-cash",
    "name": "Cash",
    "currency": "KHR",
    "protocol": "cash-by-list",
    "cash_list": {"paid_at": "agent"},
}


def test_a_list_is_short_and_made_again_without_harm_unless_told_otherwise() -> None:
    provider = ProviderSettings.model_validate(BY_LIST)
    assert (provider.batch_lines, provider.not_known_untrue_seconds) == (200, 0)
    assert provider.recognises_repeats_seconds > 9 * 365 * 24 * 3600
    assert provider.lists_at_once == 5_000
    assert ProviderSettings.model_validate({**BY_LIST, "batch_lines": 50}).batch_lines == 50


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_lines": 1_001},
        {"base_url": "http://127.0.0.1:1"},
        {"cash_list": {"paid_at": "market"}},
        {"cash_list": {"paid_at": "agent", "claim_days": 0}},
        {"cash_list": None},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ProviderSettings.model_validate({**BY_LIST, **changes})


@pytest.mark.usefixtures("environment")
def test_a_list_without_its_key_or_its_protocol_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = WorkerSettings()
    [mekong] = [provider for provider in settings.providers if provider.code == "mekong"]
    with pytest.raises(WrongPlace, match="give it a base_url"):
        _ = mekong.url
    by_file = mekong.model_copy(update={"protocol": "iso20022-pain.001-files"})
    with pytest.raises(WrongPlace, match="give it a bank_file"):
        adapters_of(settings.model_copy(update={"providers": [by_file]}))
    over_http = mekong.model_copy(update={"cash_list": None, "base_url": "http://127.0.0.1:1"})
    with pytest.raises(NotByList, match="give it a cash_list"):
        adapters_of(settings.model_copy(update={"providers": [over_http]}))
    monkeypatch.setenv("PAYMENTS_PROVIDER_SIGNING_KEYS", json.dumps({}))
    with pytest.raises(ValueError, match="has nothing for mekong"):
        WorkerSettings()
