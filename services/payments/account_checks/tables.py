"""What is known of accounts that payments go to: no account, and no name."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.payments.account_checks.states import AccountOutcome
from services.payments.database import SCHEMA, Base
from shared.tables import enum_column


class AccountCheck(Base):
    """One account, for one household: an account that is shared is nobody's by its name."""

    __tablename__ = "account_check"

    household_id: Mapped[UUID] = mapped_column(Uuid)
    provider_number: Mapped[int] = mapped_column(
        SmallInteger, ForeignKey("payments.provider.number")
    )
    account_fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    # The same while the registry knows the same of the household; else it is compared anew.
    household_fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    # None: it is not known yet.
    outcome: Mapped[AccountOutcome | None] = mapped_column(
        enum_column(AccountOutcome, "account_outcome", SCHEMA)
    )
    # A code: why it is closed, or why nothing could be learnt.
    reason: Mapped[str | None] = mapped_column(Text)
    # How alike the names are, as the registry said. Null: nobody asked for names.
    verdict: Mapped[str | None] = mapped_column(Text)
    likeness: Mapped[int | None] = mapped_column(SmallInteger)
    method: Mapped[str | None] = mapped_column(Text)
    # The same for the same two names; and of those that two persons let go.
    names_pair: Mapped[bytes | None] = mapped_column(LargeBinary)
    accepted_pair: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Domain time.
    wanted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # How often it was asked about in vain, and when to ask; null: nothing is to be asked.
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    # Technical time.
    ask_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        PrimaryKeyConstraint("household_id", "provider_number", "account_fingerprint"),
        CheckConstraint("likeness BETWEEN 0 AND 100", name="likeness_is_of_a_hundred"),
        CheckConstraint(
            "num_nulls(verdict, likeness, method, names_pair) IN (0, 4)", name="likeness_is_whole"
        ),
        Index(
            "account_check_due_index",
            "provider_number",
            "ask_at",
            postgresql_where=text("ask_at IS NOT NULL"),
        ),
        Index(
            "account_check_closed_index",
            "provider_number",
            postgresql_where=text("outcome = 'closed'"),
        ),
        {"comment": "What a provider and the registry said of an account, before it is paid."},
    )


class AccountPreparation(Base):
    """How far the accounts are fetched of whomever a trigger that is ready would pay."""

    __tablename__ = "account_preparation"

    readiness_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    # As many as were counted when fetching began: another count has it begin anew.
    households: Mapped[int] = mapped_column(Integer)
    # The household up to which they are; null: none yet, or all.
    after: Mapped[UUID | None] = mapped_column(Uuid)
    # Technical time.
    fetch_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # When all were, last. Domain time.
    fetched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        {"comment": "Whose accounts are checked before a shock: of triggers that are ready."},
    )


class PreparedAccount(Base):
    """An account that a trigger that is ready would have paid, sealed, until it stands down."""

    __tablename__ = "prepared_account"

    # Rows are sealed anew in its order.
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("uuidv7()"))
    readiness_id: Mapped[UUID] = mapped_column(Uuid)
    household_id: Mapped[UUID] = mapped_column(Uuid)
    provider_number: Mapped[int] = mapped_column(SmallInteger)
    account_fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    account_sealed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        UniqueConstraint("readiness_id", "household_id"),
        Index("prepared_account_household_index", "household_id"),
        {"comment": "Accounts that are checked before a shock; deleted when its trigger rests."},
    )
