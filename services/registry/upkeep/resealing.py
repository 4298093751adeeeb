"""What the registry seals."""

from services.registry.households.persons import personal_data_from
from services.registry.settings import ApiSettings
from shared.resealing import SealedColumn


def sealed_columns(settings: ApiSettings) -> list[SealedColumn]:
    """Every column of sealed values, with the keys that open it."""
    personal_data = personal_data_from(settings)
    rings = {ring.variable: ring for ring in settings.key_rings()}
    return [
        SealedColumn(table=table, column=column, bound_to=bound_to, cipher=cipher, ring=rings[keys])
        for table, column, bound_to, cipher, keys in (
            *(
                (table, "person_sealed", "id", personal_data.persons, "PERSON_KEYS")
                for table in ("registry.household", "registry.member")
            ),
            *(
                (table, column, bound_to, personal_data.persons, "PERSON_KEYS")
                for table, column, bound_to in (
                    ("registry.earlier_person", "person_sealed", "person_id"),
                    ("registry.household_act", "given_sealed", "household_id"),
                )
            ),
            (
                *("registry.member_change", "person_sealed", "member_id"),
                personal_data.persons,
                "PERSON_KEYS",
            ),
            *(
                (table, "message_sealed", "id", personal_data.persons, "PERSON_KEYS")
                for table in ("registry.partner_request", "registry.partner_delivery")
            ),
            ("registry.import_file", "seen_sealed", "id", personal_data.files, "PERSON_KEYS"),
            ("registry.import_piece", "piece_sealed", "id", personal_data.files, "PERSON_KEYS"),
            *(
                (f"registry.{table}", column, "id", personal_data.persons, "PERSON_KEYS")
                for table, column in (
                    ("partner_subscription", "filter_sealed"),
                    ("partner_callback", "message_sealed"),
                )
            ),
            *(
                (table, "account_sealed", "household_id", personal_data.accounts, "ACCOUNT_KEYS")
                for table in ("registry.payee_account", "registry.account_change")
            ),
        )
    ]
