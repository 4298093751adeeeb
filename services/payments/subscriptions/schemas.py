"""Bodies of the subscription routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.payments.subscriptions.states import Signing, SubscriptionStatus
from shared.addresses import MAXIMUM_CHARACTERS, url_of
from shared.contracts.catalogue import EXAMPLES
from shared.values import Instant, Text, Whole

_TYPES = {fact.type for fact in EXAMPLES}
_LONGEST_OVERLAP_HOURS = 30 * 24


def _of_address(written: str) -> str:
    url_of(written)
    return written


def _of_type(written: str) -> str:
    if written not in _TYPES:
        raise ValueError("No event has this type. GET /asyncapi.json lists those that there are.")
    return written


def _once(listed: list[str]) -> list[str]:
    if len(set(listed)) < len(listed):
        raise ValueError("One of them is there twice. Leave it out.")
    return listed


EventType = Annotated[
    str, Field(pattern=r"^[a-z0-9.-]{1,100}$", max_length=100), AfterValidator(_of_type)
]
AreaCode = Annotated[str, Field(pattern=r"^[0-9]{2,8}$", max_length=8)]


class SubscriptionIn(BaseModel):
    """Where which events are to be sent, for another person to approve."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Ministry of Social Affairs, case system",
                    "url": "https://cases.ministry.example/hooks/sangkroh",
                    "types": [
                        "org.sangkroh.activation-opened.v1",
                        "org.sangkroh.payments-settled.v1",
                    ],
                    "areas": ["01", "0203"],
                    "signing": "hmac-sha256",
                    "reason": "Agreed in the data sharing protocol of March.",
                }
            ]
        },
    )

    name: Annotated[str, Text(longest=100), Field(description="Who gets them, in words.")]
    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAXIMUM_CHARACTERS,
            description="Where they are sent: https, to a public address. It holds no secret: "
            "whoever may read subscriptions sees it.",
        ),
        AfterValidator(_of_address),
    ]
    types: Annotated[
        list[EventType],
        Field(min_length=1, max_length=100, description="Types of events."),
        AfterValidator(_once),
    ]
    areas: Annotated[
        list[AreaCode],
        Field(
            max_length=400,
            description="Codes of places; none: everywhere. An event is sent that is about one of "
            "them, about a place within it, or about one that it lies in; and so is one that "
            "names no place.",
        ),
        AfterValidator(_once),
    ] = []
    signing: Annotated[Signing, Field(description="How what is sent is signed.")] = (
        Signing.HMAC_SHA256
    )
    reason: Annotated[str, Text(longest=500, shortest=3, lines=True)]


class SubscriptionOut(BaseModel):
    """Where which events are sent, and how far that is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b20",
                    "name": "Ministry of Social Affairs, case system",
                    "url": "https://cases.ministry.example/hooks/sangkroh",
                    "types": ["org.sangkroh.activation-opened.v1"],
                    "areas": ["01", "0203"],
                    "signing": "hmac-sha256",
                    "status": "active",
                    "proposed_by": "integration@ministry.example",
                    "approved_by": "checker@nspc.example",
                    "began_at": "2020-10-01T02:00:00Z",
                    "ended_at": None,
                    "ended_because": None,
                    "waiting": 2,
                    "oldest_waiting_at": "2020-10-12T02:00:05Z",
                    "failed": 0,
                }
            ]
        }
    )

    id: UUID
    name: str
    url: str
    types: list[str]
    areas: list[str]
    signing: Signing
    status: SubscriptionStatus
    proposed_by: str
    approved_by: str
    began_at: datetime = Field(description="What was told before is not sent by itself.")
    ended_at: datetime | None
    ended_because: str | None
    waiting: int = Field(description="Deliveries that are still to be made.")
    oldest_waiting_at: datetime | None = Field(description="Since when the oldest of them waits.")
    failed: int = Field(description="Deliveries that were given up: replay them.")


class KeyOut(BaseModel):
    """A key that signs what is sent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199c1de-8000-7a54-8f62-0d6f0a6f5b21",
                    "signing": "hmac-sha256",
                    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
                    "public_key": None,
                    "made_by": "integration@ministry.example",
                    "made_at": "2020-10-01T02:00:00Z",
                    "signs_until": None,
                }
            ]
        }
    )

    id: UUID
    signing: Signing
    secret: str | None = Field(
        description="What verifies by HMAC. Shown to whoever made the key alone."
    )
    public_key: str | None = Field(description="What verifies by Ed25519.")
    made_by: str
    made_at: datetime
    signs_until: datetime | None = Field(description="From then on the newer key signs alone.")


class RotationIn(BaseModel):
    """How long the keys that there are sign beside the new one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"overlap_hours": 72, "reason": "The yearly change of keys."}]
        },
    )

    overlap_hours: Annotated[
        int,
        Whole(least=0, most=_LONGEST_OVERLAP_HOURS),
        Field(description="0: they sign nothing more, as where one became known."),
    ] = 72
    reason: Annotated[str, Text(longest=500, shortest=3, lines=True)]


class ReplayIn(BaseModel):
    """What is to be sent again, or for the first time: what happened from when until when."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "since": "2020-10-12T00:00:00Z",
                    "until": "2020-10-13T00:00:00Z",
                    "reason": "The case system was put back to its backup of that night.",
                }
            ]
        },
    )

    since: Instant
    until: Instant | None = Field(default=None, description="None: until now.")
    reason: Annotated[str, Text(longest=500, shortest=3, lines=True)]


class ReplayOut(BaseModel):
    """How much is sent again."""

    deliveries: int = Field(examples=[212])
