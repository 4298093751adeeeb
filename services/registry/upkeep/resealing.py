"""What the registry seals."""

from dataclasses import replace

from services.registry.household_keys.repository import give_missing_on, materials_on
from services.registry.households.persons import ERASED, PersonalData, personal_data_from
from services.registry.settings import ApiSettings
from shared.known_keys import KeyRing
from shared.resealing import Owners, SealedColumn


def sealed_columns(settings: ApiSettings) -> list[SealedColumn]:
    """Every column of sealed values, with the keys that open it: households first, which are given
    something of their own with it."""
    personal_data = personal_data_from(settings)
    rings = {ring.variable: ring for ring in settings.key_rings()}
    return [
        *_of_households(personal_data, rings["PERSON_KEYS"]),
        *(
            SealedColumn(
                table=f"registry.{table}",
                column=column,
                bound_to=bound_to,
                cipher=cipher,
                ring=rings[keys],
            )
            for table, column, bound_to, cipher, keys in (
                *(
                    (table, column, "id", personal_data.persons, "PERSON_KEYS")
                    for table, column in (
                        ("partner_request", "message_sealed"),
                        ("partner_delivery", "message_sealed"),
                        ("partner_subscription", "filter_sealed"),
                        ("partner_callback", "message_sealed"),
                    )
                ),
                ("import_file", "seen_sealed", "id", personal_data.files, "PERSON_KEYS"),
                ("import_piece", "piece_sealed", "id", personal_data.files, "PERSON_KEYS"),
                *(
                    (table, "account_sealed", "household_id", personal_data.accounts, keys)
                    for table in ("payee_account", "account_change")
                    for keys in ("ACCOUNT_KEYS",)
                ),
            )
        ),
    ]


def _of_households(personal_data: PersonalData, ring: KeyRing) -> list[SealedColumn]:
    """Persons, sealed with what is their household's own. Only who holds a household's row gives
    it something."""
    theirs = Owners(column="household_id", materials_of=materials_on, erased=ERASED)
    household = SealedColumn(
        table="registry.household",
        column="person_sealed",
        bound_to="id",
        cipher=personal_data.persons,
        ring=ring,
        owners=replace(theirs, column="id", materials_of=give_missing_on),
    )
    return [
        household,
        *(
            replace(
                household,
                table=f"registry.{table}",
                column=column,
                bound_to=bound_to,
                owners=theirs,
            )
            for table, column, bound_to in (
                ("member", "person_sealed", "id"),
                ("earlier_person", "person_sealed", "person_id"),
                ("household_act", "given_sealed", "household_id"),
                ("member_change", "person_sealed", "member_id"),
            )
        ),
    ]
