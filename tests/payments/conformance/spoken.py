"""Every protocol that is spoken. **A new adapter is added to the suite by one entry here.**"""

from services.payments.providers.adapters import ADAPTERS, VERIFIERS
from services.payments.providers.protocol import Capability
from tests.payments.conformance.bank_side import bank
from tests.payments.conformance.gsma_side import batch_wallet, wallet
from tests.payments.conformance.sides import Play, Saying, Spoken
from tests.payments.conformance.template.adapter import (
    PROTOCOL,
    TemplateAdapter,
    TemplateCallbacks,
)
from tests.payments.conformance.template.side import template_side


def _registered(protocol: str, play: Play, **more: object) -> Spoken:
    return Spoken(protocol, ADAPTERS[protocol], VERIFIERS[protocol], play, **more)  # type: ignore[arg-type]


REGISTERED = (
    _registered("gsma-mobile-money-1.2", wallet, no_float_reasons=frozenset({"insufficientFunds"})),
    _registered(
        "gsma-mobile-money-1.2-batches",
        batch_wallet,
        no_float_reasons=frozenset({"insufficientFunds"}),
        unsaid={Saying.PAYS_MORE: "a completion tells no amount"},
    ),
    _registered(
        "iso20022-pain.001-files",
        bank,
        no_float_reasons=frozenset({"AM04"}),
        unsaid={
            Saying.PAYS_MORE: "the amount in a status report is the one that was ordered",
            Saying.HANGS_UP: "a folder has no connection",
            Saying.BREAKS: "a folder has no status",
            Saying.BUSY: "a folder takes what is put there",
        },
    ),
)
"""Those of ``services/payments/providers/adapters.py``, each."""

TEMPLATE = Spoken(
    PROTOCOL,
    TemplateAdapter,
    TemplateCallbacks,
    template_side,
    no_float_reasons=frozenset({"float"}),
)
"""What newcomers copy keeps every promise as well, and speaks to nobody."""

SPOKEN = (*REGISTERED, TEMPLATE)

BY_HAND = frozenset(
    protocol
    for protocol, adapter in ADAPTERS.items()
    if Capability.LIST in getattr(adapter, "capabilities", ())
)
"""Nobody is spoken to: what persons pay by hand is uploaded through our own API, and tried there
(`tests/payments/test_cash_lists*.py`)."""
