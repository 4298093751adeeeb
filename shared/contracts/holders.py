"""What payments asks the registry about the names under which accounts are held.

``POST /v1/checks/account-holders`` takes a ``HoldersCheck`` and answers a ``HoldersChecked``. The
names go to the registry in the body and stay there; what comes back tells how alike they are.
"""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.values import Text

MAXIMUM_HOLDERS = 500
MAXIMUM_NAMES = 6
MAXIMUM_NAME_CHARACTERS = 200


class HolderCheck(BaseModel):
    """The holder of one account, as its provider calls them, and for which household it is."""

    model_config = ConfigDict(extra="forbid")

    household_id: UUID
    names: Annotated[
        list[Annotated[str, Text(longest=MAXIMUM_NAME_CHARACTERS)]],
        Field(
            max_length=MAXIMUM_NAMES,
            description="The same name in several scripts or spellings; none: it has none.",
        ),
    ]


class HoldersCheck(BaseModel):
    """Holders of accounts, to be compared with the households' names."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "holders": [
                        {
                            "household_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                            "names": ["Chanthy Sok", "សុខ ចន្ធី"],
                        }
                    ]
                }
            ]
        },
    )

    holders: Annotated[list[HolderCheck], Field(min_length=1, max_length=MAXIMUM_HOLDERS)]


class HolderChecked(BaseModel):
    """How alike the names of one holder and of one household are."""

    household_id: UUID
    verdict: Annotated[
        str,
        Field(
            pattern="^[a-z_]{1,20}$",
            description="`alike`, `doubtful`, `unlike`, or `no_name`: there was nothing to "
            "compare, or there is no such household.",
        ),
    ]
    likeness: Annotated[int, Field(ge=0, le=100)]
    method: Annotated[
        str,
        Field(
            pattern="^[a-z_]{1,20}$",
            description="`same`: the same words; `words`: words paired by their sounds; `joined`: "
            "divided into words otherwise; `sorted`: many words; `nothing`.",
        ),
    ]
    pair: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{16}$",
            description="The same for the same two names, and tells nothing of them.",
        ),
    ]


class HoldersChecked(BaseModel):
    """What comparing came to, in the order in which it was asked."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "holders": [
                        {
                            "household_id": "0199c1de-5a00-7a54-8f62-0d6f0a6f5b0f",
                            "verdict": "alike",
                            "likeness": 100,
                            "method": "same",
                            "pair": "5f0c9a1b2d3e4f60",
                        }
                    ]
                }
            ]
        }
    )

    holders: list[HolderChecked]
