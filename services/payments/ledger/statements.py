"""Pieces of SQL about balances."""

BALANCE_NOW = "account.debits_minor - account.credits_minor"
"""An account's balance, debits less credits: an expression over ``account``."""


def _side_at(side: str) -> str:
    return f"""coalesce((
        SELECT sum(transfer.amount_minor)
        FROM payments.transfer
        WHERE transfer.{side}_account = account.id AND transfer.posted_at <= :at
    ), 0)"""


BALANCE_AT = f"{_side_at('debit')} - {_side_at('credit')}"
"""The same at the instant ``:at``, by the sums of the transfers up to then; read from an index."""
