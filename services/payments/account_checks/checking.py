"""Asking one provider about accounts before they are paid for the first time, in sets.

Picked and put off in one transaction, asked about outside of any, kept in another. Whoever dies in
between leaves accounts that are asked about again. Asking begins as soon as a chunk is raised, so
that most is known before its round is released.
"""

import asyncio
from collections.abc import Sequence

import structlog

from services.payments.account_checks import repository
from services.payments.account_checks.comparing import Comparing, NotCompared
from services.payments.account_checks.repository import Compared, DueCheck, Learnt
from services.payments.account_checks.states import AccountOutcome
from services.payments.instructions.moves import InstructionMoves, Move
from services.payments.instructions.states import Status
from services.payments.providers.account_answers import AccountAnswer, AccountAsker, Standing
from services.payments.providers.directory import ProviderDirectory
from services.payments.providers.health.noting import Noting
from services.payments.providers.pausing import Pausing
from services.payments.settings import ProviderSettings, Settings
from services.payments.settings.provider import WhileAway
from shared.contracts.holders import MAXIMUM_HOLDERS
from shared.database import Database
from shared.errors import told

log = structlog.get_logger()

ACTOR = "account-check"
_ROUNDS = 8
"""Questions of one line, one after the other, in a set."""
_REGISTRY_SECONDS = 60
_CLOSED_SIZE = 1_000
_PAUSED = AccountAnswer(reason="provider_paused")
CLOSED_REASONS = {
    Standing.UNAVAILABLE: "account_unavailable",
    Standing.NOT_KNOWN: "account_not_known",
}


class CheckingAccounts:
    """Checks the accounts of one provider."""

    def __init__(
        self,
        asker: AccountAsker,
        *,
        provider: ProviderSettings,
        settings: Settings,
        directory: ProviderDirectory,
        database: Database,
        moves: InstructionMoves,
        comparing: Comparing,
        noting: Noting,
    ) -> None:
        self._asker = asker
        self._provider = provider
        self._directory = directory
        self._database = database
        self._moves = moves
        self._comparing = comparing
        self._noting = noting
        self._pausing = Pausing(settings.provider_pause)
        self._size = min(_ROUNDS * provider.account_checks_at_once, MAXIMUM_HOLDERS)
        self._lease_seconds = _ROUNDS * settings.provider_timeout_seconds + _REGISTRY_SECONDS

    async def step(self) -> int:
        """Check a set of accounts; returns how many payments and accounts something was done to."""
        number = await self._directory.number_of(self._provider.code)
        ended = await self._end_closed(number)
        if self._pausing.paused:
            return ended
        async with self._database.transaction() as session:
            due = await repository.pick_due(
                session,
                provider_number=number,
                size=1 if self._pausing.probing else self._size,
                lease_seconds=self._lease_seconds,
            )
        if not due:
            return ended
        learnt = await self._learn(due)
        async with self._database.transaction() as session:
            applied = await repository.keep_learnt(
                session,
                learnt,
                provider_number=number,
                likeness_least=self._provider.likeness_least,
                at=self._moves.clock.now(),
            )
        if applied.held:
            log.warning("accounts_doubted", provider=self._provider.code, count=applied.held)
        return ended + len(due)

    async def _end_closed(self, number: int) -> int:
        """Reject what would go to an account that cannot be paid: nothing of it ever leaves."""
        async with self._database.transaction() as session:
            closed = await repository.lock_closed(
                session, provider_number=number, size=_CLOSED_SIZE
            )
            moved = await self._moves.make(
                session,
                [
                    Move(instruction_id, Status.REJECTED, reason=reason)
                    for instruction_id, reason in closed
                ],
                actor=ACTOR,
            )
        if moved:
            log.warning("accounts_closed", provider=self._provider.code, count=len(moved))
        return len(moved)

    async def _learn(self, due: Sequence[DueCheck]) -> list[Learnt]:
        answers = await asyncio.gather(*(self._ask(check) for check in due))
        named = [place for place, answer in enumerate(answers) if answer.names is not None]
        holders = [(due[place].account.household_id, answers[place].names or ()) for place in named]
        compared: dict[int, Compared] = {}
        failure: str | None = None
        try:
            compared = dict(zip(named, await self._comparing.compare(holders), strict=True))
        except NotCompared as not_compared:
            failure = str(not_compared)
        return [
            self._learnt(check, answers[place], compared.get(place), failure=failure)
            for place, check in enumerate(due)
        ]

    async def _ask(self, check: DueCheck) -> AccountAnswer:
        if self._pausing.paused:
            return _PAUSED
        try:
            answer = await self._asker.ask(check.account)
        except Exception as error:
            log.error("account_check_failed", provider=self._provider.code, error=told(error))
            answer = AccountAnswer(reason="adapter_failed")
        if answer.was_asked:
            self._pausing.note_reply(unwell=answer.provider_unwell)
            self._noting.note_reply(failure=answer.reason)
        return answer

    def _learnt(
        self,
        check: DueCheck,
        answer: AccountAnswer,
        compared: Compared | None,
        *,
        failure: str | None,
    ) -> Learnt:
        if answer.standing in CLOSED_REASONS:
            return Learnt(check, AccountOutcome.CLOSED, CLOSED_REASONS[answer.standing])
        if answer.is_unreadable:
            return Learnt(check, None, answer.reason)
        if answer.standing is None or (answer.names is not None and compared is None):
            reason = answer.reason or failure
            return Learnt(check, None, reason, retry_seconds=self._wait(check))
        if compared is not None and compared.likeness < self._provider.likeness_least:
            return Learnt(check, AccountOutcome.DOUBTED, compared=compared)
        return Learnt(check, AccountOutcome.PASSED, compared=compared)

    def _wait(self, check: DueCheck) -> float | None:
        """When to ask again after nothing was learnt; None: the payment goes on unseen."""
        goes_on = self._provider.account_checks_away is WhileAway.GO_ON
        if goes_on and check.tries + 1 >= self._provider.account_checks_tries:
            return None
        return self._provider.account_checks_retry.seconds(check.tries)


class LettingUnseenGo:
    """Lets payments go that wait for a check which the settings do not ask for any more."""

    def __init__(self, unasked: Sequence[str], *, database: Database, size: int) -> None:
        self._unasked = unasked
        self._database = database
        self._size = size

    async def step(self) -> int:
        """Let a set go; returns how many."""
        async with self._database.transaction() as session:
            return await repository.let_unseen_go(session, self._unasked, size=self._size)
