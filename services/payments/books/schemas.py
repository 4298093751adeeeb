"""Bodies of the books as accountants read them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.payments.ledger.accounts import AccountCode, Book


class TrialLineOut(BaseModel):
    """One account: its balance stands in one of the two columns."""

    book: Book
    currency: str
    account: AccountCode
    scope: str = Field(description="The fund, provider or currency that it is kept for.")
    debit_minor: int
    credit_minor: int


class TrialTotalOut(BaseModel):
    """Both columns of one book in one currency, added up. They are equal."""

    book: Book
    currency: str
    debit_minor: int
    credit_minor: int


class TrialBalanceOut(BaseModel):
    """The balance of every account at one moment, in minor units of its currency."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "at": "2020-10-31T17:00:00Z",
                    "balanced": True,
                    "totals": [
                        {
                            "book": "cash",
                            "currency": "KHR",
                            "debit_minor": 40_000_000_000,
                            "credit_minor": 40_000_000_000,
                        }
                    ],
                    "lines": [
                        {
                            "book": "cash",
                            "currency": "KHR",
                            "account": "TREASURY_CASH",
                            "scope": "KHR",
                            "debit_minor": 40_000_000_000,
                            "credit_minor": 0,
                        },
                        {
                            "book": "cash",
                            "currency": "KHR",
                            "account": "FUNDS_RECEIVED",
                            "scope": "shock-response",
                            "debit_minor": 0,
                            "credit_minor": 40_000_000_000,
                        },
                    ],
                }
            ]
        }
    )

    at: datetime
    balanced: bool = Field(description="Whether both columns agree in each book and currency.")
    totals: list[TrialTotalOut]
    lines: list[TrialLineOut]
