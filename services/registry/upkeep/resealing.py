"""What the registry seals."""

from services.registry.households.persons import personal_data_from
from services.registry.settings import ApiSettings
from shared.resealing import SealedColumn


def sealed_columns(settings: ApiSettings) -> list[SealedColumn]:
    """Every column of sealed values, with the keys that open it."""
    personal_data = personal_data_from(settings)
    rings = {ring.variable: ring for ring in settings.key_rings()}
    return [
        SealedColumn(
            table="registry.household",
            column="person_sealed",
            bound_to="id",
            cipher=personal_data.persons,
            ring=rings["PERSON_KEYS"],
        ),
        SealedColumn(
            table="registry.payee_account",
            column="account_sealed",
            bound_to="household_id",
            cipher=personal_data.accounts,
            ring=rings["ACCOUNT_KEYS"],
        ),
        SealedColumn(
            table="registry.account_change",
            column="account_sealed",
            bound_to="household_id",
            cipher=personal_data.accounts,
            ring=rings["ACCOUNT_KEYS"],
        ),
    ]
