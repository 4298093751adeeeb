"""The feed document: where something is published, in what form, how often, and what of it."""

from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from services.triggers.feeds.formats.alerts import AlertsFormat
from services.triggers.feeds.formats.batches import BatchesFormat
from services.triggers.feeds.formats.extents import ExtentsFormat
from services.triggers.feeds.formats.prices import PricesFormat
from services.triggers.feeds.formats.rainfall import RainfallFormat
from services.triggers.feeds.shipped import shipped_document
from shared.documents import Document
from shared.values import Text, Whole, YesNo

AnyFormat = Annotated[
    BatchesFormat | PricesFormat | RainfallFormat | AlertsFormat | ExtentsFormat,
    Field(discriminator="kind"),
]


class StaleBy(StrEnum):
    """What goes on as long as a feed is well."""

    DATA = "data"
    ANSWER = "answer"


def address_of(url: str) -> SplitResult:
    """The parts of an address; raises ValueError, which says what is wrong."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("It is no address. Write https://HOST/PATH.") from None
    if parts.scheme not in ("https", "http") or not host or not url.isascii() or " " in url:
        raise ValueError("It is no address. Write https://HOST/PATH.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("It carries a name or a password, which everybody reads. Take them out.")
    if parts.fragment:
        raise ValueError("What stands behind # is never sent. Take it out.")
    if parts.scheme == "http" and not is_this_machine(host):
        raise ValueError("What comes by http can be changed on its way. Write https.")
    return parts


def is_this_machine(host: str) -> bool:
    """Whether a host, as it is written, is the machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _of_address(url: str) -> str:
    address_of(url)
    return url


class FeedDocument(Document):
    """A feed, whole: a change of any part is a new version."""

    model_config = ConfigDict(json_schema_extra={"examples": [shipped_document("wfp-food-prices")]})

    name: Annotated[str, Text(longest=200)]
    url: Annotated[
        str,
        Text(longest=2_000),
        AfterValidator(_of_address),
        Field(
            description="Where it is published: https. In development, http to this machine as "
            "well. It leads nowhere else: what redirects to another host is refused."
        ),
    ]
    source: Annotated[
        str,
        Text(longest=100),
        Field(description="The authority whose figures they are, as observations name it."),
    ]
    format: Annotated[
        AnyFormat, Field(description="How it is written, and of which indicators it has figures.")
    ]
    every_minutes: Annotated[
        int, Whole(least=5, most=40_320), Field(description="How often it is looked at.")
    ]
    timeout_seconds: Annotated[
        int, Whole(least=1, most=45), Field(description="How long an answer may take.")
    ] = 30
    maximum_bytes: Annotated[
        int, Whole(least=1_024, most=32 * 1024 * 1024), Field(description="Of an answer.")
    ] = 4 * 1024 * 1024
    maximum_rows: Annotated[
        int, Whole(least=1, most=200_000), Field(description="Rows, or features, of an answer.")
    ] = 20_000
    stale_after_hours: Annotated[
        int,
        Whole(least=1, most=24 * 400),
        Field(description="An alarm is raised after so many hours without what `stale_by` says."),
    ]
    stale_by: Annotated[
        StaleBy,
        Field(
            description="`data`: new figures, of what is published regularly. `answer`: an answer "
            "that can be read, of what may be silent for long, such as alerts."
        ),
    ] = StaleBy.DATA
    enabled: Annotated[
        YesNo, Field(description="A version with false retires the feed: it is not pulled.")
    ] = True

    @model_validator(mode="after")
    def _stale_later_than_pulled(self) -> Self:
        if self.stale_after_hours * 60 < self.every_minutes:
            raise ValueError("It would be stale before it is pulled again. Pull it more often.")
        return self

    @property
    def format_kind(self) -> str:
        """In what form it is published."""
        return self.format.kind
