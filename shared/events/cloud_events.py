"""Events as readers outside get them: CloudEvents 1.0 in JSON, each type's data described."""

from datetime import datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field, create_model
from sqlalchemy import Row

from shared.contracts.catalogue import EXAMPLES
from shared.events.log import Published

MEDIA_TYPE = "application/cloudevents+json"


class Attributes(BaseModel):
    """What every CloudEvent says of itself (CloudEvents 1.0, JSON format)."""

    specversion: Literal["1.0"] = "1.0"
    id: UUID = Field(description="The same wherever, and however often, the event is told.")
    type: str = Field(examples=["org.sangkroh.activation-opened.v1"])
    source: str = Field(examples=["/triggers"])
    subject: str = Field(
        description="The id or code of what it is about.",
        examples=["0199c1de-53a1-7f6b-8a27-2f1f6a1d9a10"],
    )
    time: datetime = Field(description="When it happened.")
    datacontenttype: Literal["application/json"] = "application/json"


def _described(fact: type[Published]) -> type[Attributes]:
    """The CloudEvent that tells this fact, to be described."""
    example = fact.model_validate(EXAMPLES[fact])
    type_alone: Any = Literal[fact.type]
    source_alone: Any = Literal[fact.source]
    return create_model(
        f"{fact.__name__}Event",
        __base__=Attributes,
        __doc__=fact.__doc__,
        type=(type_alone, Field(examples=[fact.type])),
        source=(source_alone, Field(examples=[fact.source])),
        subject=(str, Field(examples=[example.subject])),
        data=(fact, Field(examples=[example.model_dump(mode="json")])),
    )


DESCRIBED: dict[str, type[Attributes]] = {fact.type: _described(fact) for fact in EXAMPLES}
"""By type of event: what it looks like."""


AnyDescribed: Any = Annotated[reduce(or_, DESCRIBED.values()), Field(discriminator="type")]
"""One event, whatever its type."""


class CloudEvent(Attributes):
    """One event as the log has it; its type says what its data are."""

    data: dict[str, Any]

    @classmethod
    def of(cls, row: Row[Any]) -> "CloudEvent":
        """An event as the log has it."""
        return cls.model_validate(row._asdict())

    def to_json(self) -> bytes:
        """The event as it is sent: the same bytes whenever it is sent again."""
        return orjson.dumps(self.model_dump(mode="json"))
