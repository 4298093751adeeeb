"""Payment instructions and the history of their moves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.database import SCHEMA, Base
from services.payments.instructions.states import EXCLUSIVE, IN_FLIGHT, NOT_EXCLUSIVE, Status
from services.payments.statements import among
from shared.tables import enum_column

_STATUS = enum_column(Status, "instruction_status", SCHEMA)


class Instruction(Base):
    """One attempt to pay one entitlement.

    Lean on purpose, widest columns first: 700,000 rows are born in one activation. Round, fund,
    currency and activation are the chunk's. There is no foreign key to chunk or provider: rows are
    born in one statement that joins both, and neither is ever deleted.
    """

    __tablename__ = "instruction"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    entitlement_id: Mapped[UUID] = mapped_column(Uuid)
    household_id: Mapped[UUID] = mapped_column(Uuid)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    chunk_number: Mapped[int] = mapped_column(Integer)
    status: Mapped[Status] = mapped_column(_STATUS)
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    # How often the registry had announced the entitlement, and which try of ours this is since.
    announcement: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    moves: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    # How often it was asked for since the provider last told us something new.
    inquiries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    # Technical time: a lease, or when to ask next.
    next_action_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The earliest and the latest at which a request may have left. Technical time.
    first_sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Domain time.
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    server_correlation_id: Mapped[UUID | None] = mapped_column(Uuid)
    # Of what left, or is about to leave, in a batch: it ends by the batch's results.
    batch_number: Mapped[int | None] = mapped_column(Integer)
    account_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # Where the household lives. None: it was raised before areas were kept.
    area_code: Mapped[str | None] = mapped_column(Text)
    # A rule keeps it from being sent: ``hold`` says which, and two persons decide.
    withheld: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    # It waits until its account was checked: ``account_check`` says what is known of that.
    account_unchecked: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    # The same for the same account, as long as the registry finds accounts by the same key.
    account_fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    transaction_reference: Mapped[str | None] = mapped_column(Text)
    # What was really paid, where that is another amount than ordered.
    paid_minor: Mapped[int | None] = mapped_column(BigInteger)
    # Two persons want it sent again; holds until it is moved. Technical time.
    resend_approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # A code, by which payments are counted; what an officer wrote stands in the history.
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index(
            "instruction_one_for_an_entitlement_index",
            "entitlement_id",
            unique=True,
            postgresql_where=text(f"status IN ({among(EXCLUSIVE)})"),
        ),
        Index(
            "instruction_ended_unpaid_index",
            "entitlement_id",
            postgresql_where=text(f"status IN ({among(NOT_EXCLUSIVE)})"),
        ),
        Index(
            "instruction_chunk_index",
            "chunk_number",
            "status",
            "provider_number",
            "withheld",
            "account_unchecked",
        ),
        Index(
            "instruction_unchecked_index",
            "household_id",
            "provider_number",
            postgresql_where=text("account_unchecked AND status IN ('ready', 'unknown')"),
        ),
        Index(
            "instruction_announced_anew_index",
            "entitlement_id",
            postgresql_where=text("announcement > 1 AND status = 'ready'"),
        ),
        CheckConstraint("paid_minor > 0", name="paid_is_positive"),
        Index(
            "instruction_due_index",
            "next_action_at",
            postgresql_where=text(f"status IN ({among(IN_FLIGHT)})"),
        ),
        Index(
            "instruction_one_for_a_reference_index",
            "provider_number",
            "transaction_reference",
            unique=True,
            postgresql_where=text("status = 'settled' AND transaction_reference IS NOT NULL"),
        ),
        {
            "comment": "One attempt to pay one entitlement; the id is the correlation id at the "
            "provider, and follows from entitlement, announcement and attempt."
        },
    )


class InstructionMove(Base):
    """One step of an instruction's life: a line of a journal entry."""

    __tablename__ = "instruction_move"

    instruction_id: Mapped[UUID] = mapped_column(Uuid)
    # When and by whom it was moved: of all that was moved together, and booked together.
    entry_number: Mapped[int] = mapped_column(BigInteger)
    from_status: Mapped[Status] = mapped_column(_STATUS)
    to_status: Mapped[Status] = mapped_column(_STATUS)
    position: Mapped[int] = mapped_column(SmallInteger)
    # Of a move to "settled": what the provider charges for the payment; null: nothing.
    charge_minor: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        PrimaryKeyConstraint("instruction_id", "position"),
        # From an entry to its lines. They lie beside one another, as they were written.
        Index("instruction_move_entry_index", "entry_number", postgresql_using="brin"),
        CheckConstraint("charge_minor > 0", name="charge_is_positive"),
        {"comment": "What an instruction went through, and why. It only gains rows."},
    )
