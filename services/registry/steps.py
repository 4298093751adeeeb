"""The registry's steps that need two persons, each with what carries it out."""

from datetime import timedelta
from functools import partial

from services.registry.accounts import service as accounts
from services.registry.acts import service as acts
from services.registry.approvals.statements import lies_within
from services.registry.approvals.tables import Approval, ApprovalKind
from services.registry.corrections import service as corrections
from services.registry.duplicates import service as duplicates
from services.registry.editions import entering as editions
from services.registry.erasures import service as erasures
from services.registry.exclusions import service as exclusions
from services.registry.further_enrolments import service as further_enrolments
from services.registry.held import service as held
from services.registry.households.persons import PersonalData
from services.registry.partners import service as partners
from services.registry.repairs import service as repairs
from services.registry.rounds import service as rounds
from services.registry.schemes.service import SCHEMES
from services.registry.settings import Settings
from shared.approvals import Step, Steps
from shared.documents.service import document_step

_CARRIED_OUT = {
    ApprovalKind.OVER_CEILING: held.carry_out,
    ApprovalKind.ROUND_RELEASE: rounds.carry_out,
    ApprovalKind.REPAIR: repairs.carry_out,
    ApprovalKind.ACCOUNT_CHANGE: accounts.carry_out,
    ApprovalKind.IMPORTED_ACCOUNTS: accounts.carry_out_import,
    ApprovalKind.GAZETTEER_EDITION: editions.carry_out,
    ApprovalKind.PARTNER: partners.carry_out,
    ApprovalKind.MEMBER_CHANGE: corrections.carry_out,
    ApprovalKind.READMISSION: exclusions.carry_out,
    ApprovalKind.DUPLICATES: duplicates.carry_out,
    ApprovalKind.ERASURES: erasures.carry_out,
}


def steps_of(settings: Settings, personal_data: PersonalData | None = None) -> Steps:
    """All of them: for routes that propose and decide, and for what the worker finds to ask.

    Whoever decides has the keys: acts on households seal persons anew. The worker decides nothing.
    """
    waits = timedelta(days=settings.approval_wait_days)
    steps = [
        Step(kind=kind, waits=waits, carry_out=carry_out)
        for kind, carry_out in _CARRIED_OUT.items()
    ]
    if personal_data is not None:
        done = partial(acts.carry_out, personal_data)
        steps.append(
            Step(
                kind=ApprovalKind.HOUSEHOLD_ACT,
                waits=waits,
                carry_out=done,
                turned_down=duplicates.turned_down,
            )
        )
    schemes = document_step(SCHEMES, ApprovalKind.SCHEME, waits=waits)
    further = Step(
        kind=ApprovalKind.FURTHER_ENROLMENT,
        waits=waits,
        carry_out=partial(
            further_enrolments.carry_out, households_per_chunk=settings.households_per_chunk
        ),
    )
    return Steps(Approval, ApprovalKind, [schemes, further, *steps], lies_within=lies_within)
