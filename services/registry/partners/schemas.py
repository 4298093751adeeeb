"""How partners look over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.registry.partners.signing import public_key, thumbprint
from services.registry.partners.tables import DEFAULT_PURPOSE
from shared.addresses import MAXIMUM_CHARACTERS, url_of
from shared.values import Text

_EXAMPLE_KEY: dict[str, Any] = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}

SenderId = Annotated[
    str,
    Field(
        min_length=3,
        max_length=99,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$",
        description="What the `sender_id` of its messages is.",
        examples=["spmis.mosvy.gov.kh"],
    ),
]


def _address(written: str) -> str:
    url_of(written)
    return written


class PublicKeyIn(BaseModel):
    """An Ed25519 public key as a JWK (RFC 8037)."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [_EXAMPLE_KEY]}
    )

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Annotated[str, Field(min_length=43, max_length=44, pattern=r"^[A-Za-z0-9_-]+=?$")]
    use: Literal["sig"] | None = None
    alg: Literal["EdDSA", "Ed25519"] | None = None
    kid: Annotated[str, Field(max_length=99, pattern=r"^[A-Za-z0-9._:-]+$")] | None = Field(
        default=None, description="How signatures name it; none: its thumbprint (RFC 7638)."
    )


class PartnerIn(BaseModel):
    """A system that may send messages, and be sent to."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "sender_id": "spmis.mosvy.gov.kh",
                    "name": "Ministry of Social Affairs: programme management",
                    "subject": "mosvy-spmis",
                    "keys": [_EXAMPLE_KEY],
                    "callback_url": "https://spmis.mosvy.gov.kh/spdci",
                    "reason": "Agreement 2026-14 on sharing who is registered.",
                }
            ]
        },
    )

    sender_id: SenderId
    name: Annotated[str, Text(longest=200)]
    subject: Annotated[str, Text(longest=255)] = Field(
        description="The subject, or the client, of the tokens that may speak for it.",
        examples=["mosvy-spmis"],
    )
    keys: Annotated[list[PublicKeyIn], Field(min_length=1, max_length=10)] = Field(
        description="What verifies its signatures: several while it changes them."
    )
    callback_url: (
        Annotated[str, Field(max_length=MAXIMUM_CHARACTERS), AfterValidator(_address)] | None
    ) = Field(
        default=None,
        description="Where what is answered later is sent: `/registry/on-search` and so on are "
        "put behind it. None: it asks for what is answered at once alone.",
        examples=["https://spmis.mosvy.gov.kh/spdci"],
    )
    purpose: Annotated[str, Field(max_length=40, pattern=r"^[a-z][a-z0-9-]{1,39}$")] = Field(
        default=DEFAULT_PURPOSE,
        description="For what persons are shown to it, by the agreement: of households that agree "
        "to just that, as `POST /v1/households/{id}/consents` keeps it.",
        examples=["share-with-health-ministry"],
    )
    reason: Annotated[str, Text(longest=1_000)]

    def jwks(self) -> list[dict[str, Any]]:
        """The keys as they are kept, each with its id; raises ValueError."""
        kept = []
        for given in self.keys:
            members = given.model_dump(exclude_none=True)
            members.setdefault("kid", thumbprint(public_key(members)))
            kept.append(members)
        if len({key["kid"] for key in kept}) < len(kept):
            raise ValueError("Two keys have one kid. Give each its own.")
        return kept


class PartnerOut(BaseModel):
    """A partner."""

    sender_id: str = Field(examples=["spmis.mosvy.gov.kh"])
    name: str = Field(examples=["Ministry of Social Affairs: programme management"])
    subject: str = Field(examples=["mosvy-spmis"])
    keys: list[dict[str, Any]] = Field(examples=[[_EXAMPLE_KEY]])
    callback_url: str | None = Field(examples=["https://spmis.mosvy.gov.kh/spdci"])
    purpose: str = Field(
        description="For what persons are shown to it, of households that agree to it.",
        examples=["share-with-health-ministry"],
    )
    proposed_by: str = Field(examples=["officer@example.org"])
    approved_by: str = Field(examples=["checker@example.org"])
    changed_at: datetime
    ended_at: datetime | None = Field(description="Since when nothing is taken from it.")
