"""Every table of the service, in one ``metadata``: for migrations and for the check of drift."""

from services.payments.account_checks import tables as account_checks
from services.payments.activations import tables as activations
from services.payments.alarms import tables as alarms
from services.payments.answers import tables as answers
from services.payments.approvals import tables as approvals
from services.payments.batches import tables as batches
from services.payments.budget_lines import tables as budget_lines
from services.payments.chunks import tables as chunks
from services.payments.counts import counting
from services.payments.counts import tables as counts
from services.payments.database import SCHEMA, Base
from services.payments.deliveries import tables as deliveries
from services.payments.funds import tables as funds
from services.payments.holds import tables as holds
from services.payments.instructions import tables as instructions
from services.payments.ledger import balances
from services.payments.ledger import tables as ledger
from services.payments.pauses import tables as pauses
from services.payments.providers import tables as providers
from services.payments.providers.cashlist import tables as cash_lists
from services.payments.providers.health import tables as health
from services.payments.providers.pace import tables as pace
from services.payments.reclaims import tables as reclaims
from services.payments.reconciliation import tables as reconciliation
from services.payments.reservations import tables as reservations
from services.payments.resolutions import tables as resolutions
from services.payments.reversals import tables as reversals
from services.payments.rounds import tables as rounds
from services.payments.routing import tables as routing
from services.payments.subscriptions import tables as subscriptions
from services.payments.sweeps import tables as sweeps
from services.payments.webhooks import tables as webhooks

metadata = Base.metadata

__all__ = [
    "SCHEMA",
    "account_checks",
    "activations",
    "alarms",
    "answers",
    "approvals",
    "balances",
    "batches",
    "budget_lines",
    "cash_lists",
    "chunks",
    "counting",
    "counts",
    "deliveries",
    "funds",
    "health",
    "holds",
    "instructions",
    "ledger",
    "metadata",
    "pace",
    "pauses",
    "providers",
    "reclaims",
    "reconciliation",
    "reservations",
    "resolutions",
    "reversals",
    "rounds",
    "routing",
    "subscriptions",
    "sweeps",
    "webhooks",
]
