"""Bugs planted on purpose, to see that the judge catches each of them.

    python -m tests.faults.planted BUG NAME     run one process of the services with the bug in it
    python -m tests.faults.planted BUG NAME DIRECTORY     as above, and as in tests.faults.cutting

Each bug replaces one function of the unmodified product before the process starts.
"""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

import services.__main__
from sandbox.hostility import Hostility
from services.payments.answers.recording import Recorded
from services.payments.answers.repository import Waiting
from services.payments.batches.lane import BatchLane
from services.payments.batches.repository import DueBatch
from services.payments.batches.states import BatchStatus
from services.payments.dispatch.lane import Claimed, Lane, Sent
from services.payments.instructions import statements
from services.payments.providers.accounts import Accounts
from services.payments.providers.answers import Answer, AnswerKind
from services.payments.providers.lines import NoReply
from services.payments.providers.protocol import Order, SealedAccount
from services.payments.webhooks.intake import WebhookIntake
from services.registry.enrolments import working
from shared import events
from shared.clock import Clock
from shared.events import Consumer, consumer
from shared.ids import new_id
from shared.money import Money
from tests.faults.cases import hostile
from tests.faults.cases_of_batches import CUTS
from tests.faults.cutting import cut_everywhere

_LONGEST_COMMIT_SECONDS = 0.4
_HESITATION_SECONDS = 0.4
_LATER_SECONDS = 3
_FORGET_ANSWER = text(
    "UPDATE payments.answer SET applied_at = clock_timestamp() WHERE number = :number"
)


def new_id_on_resend() -> None:
    """What was sent without an answer is sent again under a new correlation id."""
    send = Lane.send

    async def send_anew(self: Lane, claimed: Claimed) -> Sent:
        if not claimed.sent_before:
            return await send(self, claimed)
        order = claimed.order._replace(instruction_id=new_id())
        sent = await send(self, replace(claimed, order=order))
        return replace(sent, claimed=claimed)

    Lane.send = send_anew  # type: ignore[method-assign]


def silence_is_no() -> None:
    """A lost answer counts as a rejection."""

    def refuse(self: NoReply) -> Answer:
        return Answer(AnswerKind.REJECTED, reason=type(self).__name__)

    NoReply.answer = refuse  # type: ignore[method-assign]


def answered_before_stored() -> None:
    """A callback is acknowledged first and stored a little later."""
    store = WebhookIntake.store
    later: set[asyncio.Task[None]] = set()

    async def promise(self: WebhookIntake, **callback: Any) -> None:
        async def keep() -> None:
            await asyncio.sleep(_LATER_SECONDS)
            await store(self, **callback)

        task = asyncio.create_task(keep())
        later.add(task)
        task.add_done_callback(later.discard)

    WebhookIntake.store = promise  # type: ignore[method-assign]


def sequence_alone() -> None:
    """The cursor follows the sequence, without the fence."""
    columns = consumer._COLUMNS
    unfenced = text(
        f"""
        SELECT event.transaction_id::text AS transaction_id, {columns},
            true AS may_be_read
        FROM events.event
        WHERE event.sequence > :sequence AND :epoch >= 0 AND :transaction_id <> ''
        ORDER BY event.sequence LIMIT :limit
        """
    )
    begin = Consumer.__init__

    def begin_unfenced(self: Consumer, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        self._read = unfenced

    Consumer.__init__ = begin_unfenced  # type: ignore[method-assign]


def cursor_before_effect() -> None:
    """The cursor moves in a transaction of its own, and the effect follows."""

    async def work_new(self: Consumer) -> int:
        async with self._database.transaction() as session:
            cursor = (await session.execute(self._claim, {"consumer": self.name})).one_or_none()
            if cursor is None:
                await session.execute(self._begin, {"consumer": self.name})
                return 0
            found = await session.execute(
                self._read,
                {
                    "epoch": cursor.epoch,
                    "transaction_id": cursor.transaction_id,
                    "sequence": cursor.sequence,
                    "limit": 1,
                },
            )
            rows = [row for row in found.all() if row.may_be_read]
            for row in rows:
                await session.execute(
                    self._move,
                    {
                        "consumer": self.name,
                        "epoch": row.epoch,
                        "transaction_id": row.transaction_id,
                        "sequence": row.sequence,
                    },
                )
        if rows:
            await asyncio.sleep(_HESITATION_SECONDS)
        async with self._database.transaction() as session:
            for row in rows:
                await self._handle(session, consumer._stored(row))
        return len(rows)

    Consumer._work_new = work_new  # type: ignore[method-assign]


def forgotten_posting() -> None:
    """What is settled after it was unknown leaves its money in transit."""
    lines = statements.POSTING_ROWS.splitlines()
    kept = [line for line in lines if not line.strip().startswith("('unknown', 'settled', ")]
    if len(kept) == len(lines):
        raise RuntimeError("The posting to forget is not where it was: plant the bug anew.")
    statements.POSTING_ROWS = "\n".join(kept)


def account_in_the_log() -> None:
    """Somebody who looked for an error left a line that prints the account."""
    open_account = Accounts.open

    def open_and_tell(self: Accounts, order: Order | SealedAccount) -> str | Answer:
        account = open_account(self, order)
        print(f"sending to {account}", flush=True)
        return account

    Accounts.open = open_and_tell  # type: ignore[method-assign]


def resend_without_lease() -> None:
    """What was claimed is sent, however long ago that was."""
    _replace("dispatch.permits", "LeasePermit", "refusal", lambda permit: None)


def answer_applied_without_being_stored() -> None:
    """An answer that cannot be applied just now is gone."""

    async def forget(recording: Any, answer: Waiting, _: Exception) -> None:
        async with recording._database.transaction() as session:
            await session.execute(_FORGET_ANSWER, {"number": answer.number})

    _replace("answers.recording", "Recording", "_keep", forget)


def ids_drawn_anew() -> None:
    """Whoever raises a chunk draws the ids of its payments."""
    raising: Any = import_module("services.payments.raising.repository")
    drawn = str(raising._RAISE_ALL).replace(raising._NEW_ID, "uuidv7()")
    if drawn == str(raising._RAISE_ALL):
        raise RuntimeError("The ids do not come from where they did: plant the bug anew.")
    raising._RAISE_ALL = text(drawn)


def parser_that_raises() -> None:
    """An amount with an exponent raises out of the adapter, and nobody catches it."""

    def read_money(amount: Any, currency: Any) -> Money | None:
        return Money.from_decimal(Decimal(amount), currency)

    async def hear(_: Any, asking: Awaitable[Answer], *, about: object) -> Answer:
        return await asking

    _replace("providers.gsma.messages", None, "read_money", read_money)
    _replace("dispatch.lane", "Lane", "_heard", hear)


def batch_fails_as_one() -> None:
    """A reference is stored as it comes, and what fails in a set is not tried singly."""

    async def apply(recording: Any, answers: Sequence[Waiting]) -> list[Recorded]:
        waiting = list(answers)
        while waiting:
            done = await recording._apply_set(waiting)
            for answer in done.alone:
                await recording._apply_set([answer], alone=True)
            waiting = done.later
        return [Recorded.APPLIED] * len(answers)

    _replace("providers.gsma.messages", None, "read_reference", lambda value: value)
    _replace("answers.recording", "Recording", "apply", apply)


def paused_is_claimed() -> None:
    """What is ready is claimed, paused or not."""
    _claim_whatever(concerned="", may_go="NOT withheld")


def held_is_claimed() -> None:
    """What is ready is claimed, held by a rule or not."""
    dispatch: Any = import_module("services.payments.dispatch.repository")
    _claim_whatever(concerned=f"AND NOT {dispatch.CHUNK_PAUSED}", may_go="true")


def _claim_whatever(*, concerned: str, may_go: str) -> None:
    dispatch: Any = import_module("services.payments.dispatch.repository")
    dispatch._PICK_UNSENT = text(
        dispatch._PICK_READY.format(
            of_chunks="chunk.epoch = (SELECT events.current_epoch()) "
            f"AND {dispatch.NOT_CANCELLED} {concerned}",
            paused_areas="CAST('{}' AS text[])",
            may_go=may_go,
        )
    )


def lost_sender_sends_anew() -> None:
    """Of a batch whose sender died, the lines are paid by another one, and nobody is asked."""
    work = BatchLane._work

    async def work_anew(self: BatchLane, batch: DueBatch) -> None:
        if batch.status is BatchStatus.SENDING:
            await self._outcomes.give_back(batch, BatchStatus.REFUSED, reason="sender_lost")
        else:
            await work(self, batch)

    BatchLane._work = work_anew  # type: ignore[method-assign]


def charge_booked_twice() -> None:
    """What a statement shows as charged is a further cost, whatever is owed."""
    _replace("differences.service", None, "_owed_of", lambda outcome, row, *, payable_minor: 0)


def _replace(module: str, holder: str | None, name: str, new: Callable[..., Any]) -> None:
    """Put a function in the place of one of payments', which has to be where it was."""
    found: Any = import_module(f"services.payments.{module}")
    found = getattr(found, holder, None) if holder else found
    if not hasattr(found, name):
        raise RuntimeError(f"{holder or module}.{name} is not where it was: plant the bug anew.")
    setattr(found, name, new)


def slow_commits() -> None:
    """No bug, but bad luck: announcements take long from their insert to their commit."""

    async def publish_slowly(
        session: AsyncSession, facts: Sequence[events.Published], *, clock: Clock
    ) -> None:
        await events.publish_all(session, facts, clock=clock)
        await asyncio.sleep(random.uniform(0, _LONGEST_COMMIT_SECONDS))

    vars(working)["publish_all"] = publish_slowly


@dataclass(frozen=True, kw_only=True)
class Bug:
    """Which function goes into which processes, with what luck it shows, and as what."""

    symptom: str = ""
    """A regular expression that one of the judge's faults has to match."""
    planted_in: Mapping[str, tuple[Callable[[], None], ...]] = field(default_factory=dict)
    postgres_configuration: str = ""
    misbehave: float = 1.0
    victims: tuple[str, ...] = ()
    """Where the storm has to strike for the bug to show; nothing named: everywhere."""
    calms: float = 1
    """How many times as long as else there is peace before the next kill."""
    case: str | None = None
    """The case in which it shows; None: a storm."""
    dies_everywhere: bool = False
    """Whether the process dies at each point of a batch's way as well."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """What of that case's plan is otherwise, for it to show with less luck."""

    def commands(self, name: str) -> dict[str, list[str]]:
        """How the processes with the bug in them are launched."""
        cuts = [f"{{directory}}/{CUTS}"] if self.dies_everywhere else []
        return {
            process: [sys.executable, "-m", "tests.faults.planted", name, process, *cuts]
            for process in self.planted_in
        }


BUGS = {
    "new-id-on-resend": Bug(
        planted_in={"payments-worker": (new_id_on_resend,)},
        misbehave=4,
        symptom=r"in the book and not ours|was paid \d+ times",
    ),
    "silence-is-no": Bug(
        planted_in={"payments-worker": (silence_is_no,)}, symptom="in the book, but instruction"
    ),
    "answered-before-stored": Bug(
        planted_in={"payments-api": (answered_before_stored,)},
        victims=("payments-api",),
        # Up for so long that somebody can call, wherever it takes five seconds to come up.
        calms=6,
        symptom="callbacks were acknowledged and are not there",
    ),
    "sequence-alone": Bug(
        planted_in={
            "payments-worker": (sequence_alone,),
            "registry-worker": (sequence_alone, slow_commits),
        },
        victims=("sandbox",),
        symptom="have no end|households, but|did not come to rest",
    ),
    "cursor-before-effect": Bug(
        planted_in={
            "payments-worker": (cursor_before_effect,),
            "registry-worker": (cursor_before_effect,),
        },
        victims=("payments-worker", "registry-worker"),
        symptom="have no end|households, but|did not come to rest",
    ),
    "forgotten-posting": Bug(
        planted_in={"payments-worker": (forgotten_posting,)}, symptom="IN_TRANSIT of"
    ),
    "account-in-the-log": Bug(
        planted_in={"payments-worker": (account_in_the_log,)},
        victims=("sandbox",),
        symptom="personal values",
    ),
    "resend-without-lease": Bug(
        planted_in={"payments-worker": (resend_without_lease,)},
        case="stopped-workers",
        symptom=r"was paid \d+ times|not on any list",
    ),
    "answer-applied-without-being-stored": Bug(
        planted_in={"payments-worker": (answer_applied_without_being_stored,)},
        case="empty-float",
        symptom="booked payments are rejected here|not on any list",
    ),
    "ids-drawn-anew": Bug(
        planted_in={"payments-worker": (ids_drawn_anew,)},
        case="lost-payments",
        symptom=r"in the book and not ours|was paid \d+ times",
    ),
    "parser-that-raises": Bug(
        planted_in={"payments-worker": (parser_that_raises,)},
        case="poisoned-answer",
        symptom="reported as paid otherwise are not held",
    ),
    "batch-that-fails-as-one": Bug(
        planted_in={"payments-worker": (batch_fails_as_one,)},
        case="poisoned-answer",
        # Some whom nobody calls back for, and a poisoned answer in every set.
        changes={
            "misbehave": 10,
            "sandbox": hostile(Hostility.REFERENCE_WITH_NUL, share=0.1),
            "environment": {"PAYMENTS_DISPATCH_OUTCOMES_WAIT_SECONDS": "3"},
        },
        symptom="nothing is wrong with have no end|not on any list",
    ),
    "paused-is-claimed": Bug(
        planted_in={"payments-worker": (paused_is_claimed,)},
        case="paused-providers",
        symptom="was claimed at .* and was paused",
    ),
    "held-is-claimed": Bug(
        planted_in={"payments-worker": (held_is_claimed,)},
        case="held-payments",
        symptom="was claimed at .* and held",
    ),
    "lost-sender-sends-anew": Bug(
        planted_in={"payments-worker": (lost_sender_sends_anew,)},
        case="cut-batches",
        dies_everywhere=True,
        symptom="in the book, but instruction|not on any list|did not come to rest",
    ),
    "charge-booked-twice": Bug(
        planted_in={"payments-api": (charge_booked_twice,)},
        case="wrong-statements",
        symptom="were booked and owed before",
    ),
    "lazy-commits": Bug(
        postgres_configuration="synchronous_commit = off\nwal_writer_delay = 10s\n"
        "wal_writer_flush_after = 1GB\n",
        victims=("postgres",),
        symptom="acknowledged|by the book and the deposits|did not come to rest",
    ),
}

CONTROLS = {
    "slow-commits": Bug(planted_in={"registry-worker": (slow_commits,)}, victims=("sandbox",))
}


def main() -> None:
    name, process, *cuts = sys.argv[1:]
    for plant in {**BUGS, **CONTROLS}[name].planted_in[process]:
        plant()
    for directory in cuts:
        cut_everywhere(Path(directory))
    sys.argv = ["services", process]
    services.__main__.main()


if __name__ == "__main__":
    main()
