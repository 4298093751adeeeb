"""A local deployment has a provider of each kind, with settings that its workers take."""

import json
from pathlib import Path

import pytest

from deploy.local.environment import LocalSecrets, local_environment
from deploy.local.every_kind import (
    BANK,
    OF_EVERY_KIND,
    bank_folders,
    bank_of,
    how_paid,
    of_every_kind,
)
from sandbox.options import SandboxOptions
from services.payments.providers.adapters import ADAPTERS
from services.payments.settings import WorkerSettings
from services.processes import SERVICES


@pytest.fixture
def kept(tmp_path: Path) -> LocalSecrets:
    return LocalSecrets.kept_in(tmp_path / "secrets.json")


def test_each_kind_is_there_and_is_taken(
    kept: LocalSecrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = local_environment(
        kept,
        owner_url="postgresql://nobody@nowhere.invalid/none",
        ports=dict.fromkeys(SERVICES, 1),
        sandbox_port=1,
        key_file=tmp_path / "key.pem",
        clock_file=None,
    )
    environment |= of_every_kind(environment, tmp_path, kept)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = WorkerSettings()
    assert [provider.code for provider in settings.providers] == list(OF_EVERY_KIND)
    assert {provider.protocol for provider in settings.providers} == set(ADAPTERS)

    ways = how_paid(tmp_path, sandbox_url="http://127.0.0.1:1", payments_url="http://127.0.0.1:2")
    assert list(ways) == list(OF_EVERY_KIND)
    assert len({how for how, _ in ways.values()}) == len(ADAPTERS)
    for provider in settings.providers:
        if provider.base_url is not None:
            assert ways[provider.code][1] == provider.base_url


def test_the_bank_knows_our_key_has_its_own_and_is_like_the_wallets(
    kept: LocalSecrets, tmp_path: Path
) -> None:
    wallets = SandboxOptions(
        port=1,
        storage=tmp_path,
        providers=(),
        seed=7,
        missing_account_share=0.25,
        clock_file=tmp_path / "clock.json",
    )
    bank = bank_of(tmp_path, kept, like=wallets)
    assert (bank.seed, bank.bad_account_share, bank.clock_file) == (
        7,
        0.25,
        tmp_path / "clock.json",
    )
    told = of_every_kind(
        {"PAYMENTS_PROVIDERS": json.dumps([{"code": "mekong", "not_known_untrue_seconds": 60}])},
        tmp_path,
        kept,
    )
    [_, settings, by_hand] = json.loads(told["PAYMENTS_PROVIDERS"])
    assert json.loads(told["PAYMENTS_PROVIDER_SIGNING_KEYS"]) == {
        BANK: kept.file_key,
        by_hand["code"]: kept.file_key,
    }
    assert bank.signing_key == kept.bank_key
    assert settings["bank_file"]["bank_public_keys"] != [bank.public_key]
    assert all(folder.is_dir() for folder in bank_folders(tmp_path).values())


def test_secrets_of_an_earlier_version_are_kept_and_new_ones_are_made_once(
    kept: LocalSecrets, tmp_path: Path
) -> None:
    path = tmp_path / "earlier.json"
    earlier = {name: value for name, value in vars(kept).items() if name != "bank_key"}
    path.write_text(json.dumps(earlier))
    first = LocalSecrets.kept_in(path)
    assert {name: value for name, value in vars(first).items() if name != "bank_key"} == earlier
    assert first.bank_key != kept.bank_key
    assert LocalSecrets.kept_in(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
