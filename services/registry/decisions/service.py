"""Why a household is in or out of a scheme or an activation, by the rule's own clauses.

What a clause says of a household is asked of the database, by the condition that enrols: the
explanation cannot say anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.registry.activations import repository as activations
from services.registry.activations.service import get_activation
from services.registry.activations.tables import Activation
from services.registry.chunks.states import ChunkStatus
from services.registry.decisions import repository, wording
from services.registry.decisions.repository import Answers
from services.registry.decisions.schemas import (
    AsOf,
    Because,
    ClauseOut,
    DecisionOut,
    DecisionsOut,
    RoundDecision,
    ValueOut,
    Verdict,
)
from services.registry.enrolments.tables import Enrolment
from services.registry.households.service import require_household
from services.registry.households.tables import Household
from services.registry.rules.attributes import (
    COMMUNE_ATTRIBUTES,
    HOUSEHOLD_ATTRIBUTES,
    Attribute,
    Attributes,
)
from services.registry.rules.clauses import Clause, Judged, clauses_of, judge, value_in_words
from services.registry.rules.structure import RuleRefused
from services.registry.schemes.benefit import compile_benefit, compile_eligibility
from services.registry.schemes.document import SchemeDocument
from services.registry.schemes.service import SCHEMES, get_document
from services.registry.scopes import READ_PERSONAL
from shared.auth import Caller
from shared.clock import Clock
from shared.documents import service as documents
from shared.pagination import Page
from shared.wording.phrase import Phrase, listed, sentences
from shared.wording.said import Said

_MOST_SCHEMES = 100


@dataclass(frozen=True)
class _Explained:
    """A rule, judged for one household, as it is shown."""

    judged: Judged
    shown: ClauseOut
    why: Sequence[Phrase]
    """What hinders it, clause by clause."""


class Decisions:
    """Decisions about one household as one caller may see them."""

    def __init__(
        self, session: AsyncSession, household: Household, *, caller: Caller, today: date
    ) -> None:
        self._session = session
        self._today = today
        self._household = household
        self._shows_health = READ_PERSONAL in caller.scopes

    async def of_scheme(self, version: int, document: SchemeDocument) -> DecisionOut:
        """By a version of a scheme, and by what is known now."""
        return await self._now(
            document, version, activation=None, before=None, area_filter=None, is_reached=True
        )

    async def of_activation(self, activation: Activation) -> DecisionOut:
        """In an activation: by what was known then if it is enrolled, and is known now if not."""
        enrolment = await repository.find_enrolment(
            self._session, self._household.id, activation.id
        )
        area_filter = await self._filter(
            activation, enrolment.area_code if enrolment else self._household.area_code
        )
        if activation.scheme_version is None:
            return self._shown(
                activation,
                None,
                verdict=Verdict.OUT,
                because=Because.NOBODY_ENROLLED,
                words=sentences(
                    [
                        wording.out(
                            Because.NOBODY_ENROLLED,
                            wording.scheme_named(activation.scheme_code, None),
                        ),
                        Phrase.same(activation.not_enrolled or ""),
                    ]
                ),
                area_filter=area_filter,
            )
        document = await get_document(
            self._session, activation.scheme_code, activation.scheme_version
        )
        if enrolment is not None:
            return await self._then(activation, document, enrolment, area_filter=area_filter)
        reached = await repository.reached(self._session, activation.id, self._household.area_code)
        before = None
        if reached is None:
            before = Because.AREA_NOT_REACHED
        elif reached[0] == ChunkStatus.PLANNED:
            before = Because.BEING_ENROLLED
        return await self._now(
            document,
            activation.scheme_version,
            activation=activation,
            before=before,
            area_filter=area_filter,
            is_reached=reached is not None,
        )

    async def _now(
        self,
        document: SchemeDocument,
        version: int,
        *,
        activation: Activation | None,
        before: Because | None,
        area_filter: _Explained | None,
        is_reached: bool,
    ) -> DecisionOut:
        """``before`` is what decides it whatever the rule says."""
        rule = await self._explained(document.eligibility, HOUSEHOLD_ATTRIBUTES, as_of=self._today)
        benefit = compile_benefit(document)
        now = await repository.case_of(
            self._session,
            self._household.id,
            {
                "holds": compile_eligibility(document),
                "case_number": benefit.case_number,
                "amount_minor": benefit.amount_minor,
            },
            as_of=self._today,
        )
        holds: bool | None = now.holds
        case_number: int | None = now.case_number
        amount_minor: int | None = now.amount_minor
        scheme = wording.scheme_named(document.code, version)
        excluded = await repository.is_excluded(
            self._session,
            self._household.id,
            document.code,
            activation_id=None if activation is None else activation.id,
        )
        because = before
        if because is None:
            if holds is not True:
                because = Because.RULE_NOT_MET if holds is False else Because.NOT_KNOWN
            elif case_number is None:
                because = Because.NO_BENEFIT
            elif excluded:
                because = Because.EXCLUDED
            elif activation is not None:
                because = Because.REGISTERED_AFTER
            else:
                because = Because.ELIGIBLE
        told: list[Phrase] = []
        if because is Because.ELIGIBLE:
            assert amount_minor is not None, "a case fits"
            told.append(wording.eligible(scheme, amount_minor, document.currency))
        else:
            told.append(wording.out(because, scheme))
        if because is Because.AREA_NOT_REACHED and area_filter is not None:
            told += area_filter.why
        if because in (Because.RULE_NOT_MET, Because.NOT_KNOWN):
            told += rule.why
        return self._shown(
            activation,
            document,
            version=version,
            verdict=Verdict.IN if because is Because.ELIGIBLE else Verdict.OUT,
            because=because,
            words=sentences(told),
            area_filter=area_filter,
            eligibility=rule,
            benefit_case=case_number if holds else None,
            amount_minor=amount_minor if holds else None,
        )

    async def _then(
        self,
        activation: Activation,
        document: SchemeDocument,
        enrolment: Enrolment,
        *,
        area_filter: _Explained | None,
    ) -> DecisionOut:
        rule = await self._explained(
            document.eligibility,
            repository.attributes_then(),
            as_of=activation.opened_on,
            activation_id=activation.id,
        )
        scheme = wording.scheme_named(document.code, activation.scheme_version)
        rounds = await self._rounds(activation.id)
        return self._shown(
            activation,
            document,
            version=activation.scheme_version,
            verdict=Verdict.IN,
            because=Because.ENROLLED,
            words=sentences(
                [
                    wording.enrolled(scheme, enrolment.amount_minor, document.currency),
                    *(
                        wording.of_round(found.number, Phrase(found.words.en, found.words.km))
                        for found in rounds
                    ),
                ]
            ),
            area_filter=area_filter,
            eligibility=rule,
            benefit_case=enrolment.benefit_case,
            amount_minor=enrolment.amount_minor,
            rounds=rounds,
            area_code=enrolment.area_code,
            as_of=AsOf.ENROLMENT,
        )

    async def _rounds(self, activation_id: UUID) -> list[RoundDecision]:
        found = []
        held = await repository.held_rounds(self._session, self._household.id, activation_id)
        for payment_round, owed in await repository.rounds_of(
            self._session, self._household.id, activation_id
        ):
            found.append(
                RoundDecision(
                    number=payment_round.number,
                    due_on=payment_round.due_on,
                    amount_minor=None if owed is None else owed.amount_minor,
                    status=None if owed is None else owed.status,
                    reason=None if owed is None else owed.reason,
                    entitlement_id=None if owed is None else owed.id,
                    words=Said.of(
                        wording.round_in_words(
                            None if owed is None else owed.status,
                            None if owed is None else owed.reason,
                            due_on=payment_round.due_on,
                            is_held=payment_round.number in held,
                        )
                    ),
                )
            )
        return found

    async def _filter(self, activation: Activation, area_code: str) -> _Explained | None:
        """The activation's filter as it holds for a commune; one that cannot be used says so
        where nobody is enrolled."""
        if activation.area_filter is None:
            return None
        try:
            clause = clauses_of(activation.area_filter, attributes=COMMUNE_ATTRIBUTES)
        except RuleRefused:
            return None
        return self._told(clause, await repository.ask_commune(self._session, area_code, clause))

    async def _explained(
        self,
        rule: str,
        attributes: Attributes,
        *,
        as_of: date,
        activation_id: UUID | None = None,
    ) -> _Explained:
        clause = clauses_of(rule, attributes=attributes)
        answers = await repository.ask(
            self._session,
            self._household.id,
            clause,
            as_of=as_of,
            activation_id=activation_id,
        )
        return self._told(clause, answers)

    def _told(self, clause: Clause, answers: Answers) -> _Explained:
        judged = judge(clause, iter(answers.holds))
        why = []
        for hindrance in wording.hindrances(judged):
            attributes = hindrance.clause.attributes
            if any(map(self._hides, attributes.values())):
                why.append(wording.asks_that(hindrance.clause.words, None))
                continue
            values = listed(
                Phrase(
                    f"{attributes[name].words.english} {told.en}",
                    f"{attributes[name].words.khmer} {told.km}",
                )
                for name in attributes
                for told in [value_in_words(attributes[name], answers.values[name])]
            )
            why.append(wording.asks_that(hindrance.clause.words, values))
        return _Explained(judged, self._clause_out(judged, answers), why)

    def _hides(self, attribute: Attribute) -> bool:
        return attribute.sensitive and not self._shows_health

    def _clause_out(self, judged: Judged, answers: Answers) -> ClauseOut:
        clause = judged.clause
        hidden = any(map(self._hides, clause.attributes.values()))
        values = []
        for name, attribute in () if clause.parts else clause.attributes.items():
            is_hidden = self._hides(attribute)
            value = None if is_hidden else answers.values[name]
            values.append(
                ValueOut(
                    name=name,
                    words=Said(en=attribute.words.english, km=attribute.words.khmer),
                    value=_plain(value),
                    value_words=Said.of(
                        Phrase("hidden", "លាក់") if is_hidden else value_in_words(attribute, value)
                    ),
                    as_of=AsOf.ENROLMENT if name in answers.kept else AsOf.NOW,
                    hidden=is_hidden,
                )
            )
        return ClauseOut(
            joint=clause.joint,
            text=clause.text,
            words=Said.of(clause.words),
            held=None if hidden else judged.holds,
            values=values,
            parts=[self._clause_out(part, answers) for part in judged.parts],
        )

    def _shown(
        self,
        activation: Activation | None,
        document: SchemeDocument | None,
        *,
        verdict: Verdict,
        because: Because,
        words: Phrase,
        area_filter: _Explained | None,
        version: int | None = None,
        eligibility: _Explained | None = None,
        benefit_case: int | None = None,
        amount_minor: int | None = None,
        rounds: list[RoundDecision] | None = None,
        area_code: str | None = None,
        as_of: AsOf = AsOf.NOW,
    ) -> DecisionOut:
        assert activation is not None or document is not None
        opened_on: date | None = None if activation is None else activation.opened_on
        code = document.code if document is not None else ""
        return DecisionOut(
            household_id=self._household.id,
            scheme=activation.scheme_code if activation is not None else code,
            scheme_version=version,
            activation_id=None if activation is None else activation.id,
            opened_on=opened_on,
            verdict=verdict,
            because=because,
            words=Said.of(words),
            as_of=as_of,
            area_code=area_code or self._household.area_code,
            area_filter=None if area_filter is None else area_filter.shown,
            eligibility=None if eligibility is None else eligibility.shown,
            benefit_case=benefit_case,
            amount_minor=amount_minor,
            currency=None if document is None else document.currency,
            rounds=rounds or [],
        )


def _plain(value: Any) -> Any:
    """As JSON holds it."""
    return float(value) if type(value).__name__ == "Decimal" else value


async def of_activation(
    session: AsyncSession, activation_id: UUID, household_id: UUID, *, caller: Caller, clock: Clock
) -> DecisionOut:
    """Why a household is in or out of an activation; raises NotFound."""
    activation = await get_activation(session, activation_id)
    household = await require_household(session, household_id, bound=caller.areas)
    decisions = Decisions(session, household, caller=caller, today=clock.today())
    return await decisions.of_activation(activation)


async def of_household(
    session: AsyncSession, household_id: UUID, *, page: Page, caller: Caller, clock: Clock
) -> DecisionsOut:
    """Why a household is in or out, everywhere; raises NotFound."""
    household = await require_household(session, household_id, bound=caller.areas)
    decisions = Decisions(session, household, caller=caller, today=clock.today())
    before = page.after(datetime, UUID)
    schemes = []
    if before is None:
        in_force = await documents.in_force(session, SCHEMES)
        for version in in_force[:_MOST_SCHEMES]:
            assert isinstance(version.document, SchemeDocument)
            schemes.append(await decisions.of_scheme(version.version, version.document))
    found = await activations.list_activations(
        session, scheme=None, before=before, limit=page.fetch_limit
    )
    cut = page.of(found, key=lambda activation: (activation.received_at, activation.id))
    return DecisionsOut(
        schemes=schemes,
        items=[await decisions.of_activation(activation) for activation in cut.items],
        next_cursor=cut.next_cursor,
        as_of=clock.now(),
    )
