"""What is given to add or correct a member, over HTTP."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.households.bodies import shown, with_fields
from services.registry.households.fields import Choice, Code, Codes, Name, Phone, YesNo
from services.registry.households.fields import Day as DayKind
from services.registry.households.fields import Field as MemberField
from services.registry.members.shape import (
    MEMBER_NUMBER,
    MEMBER_SHAPE,
    PREGNANCY_DUE_ON,
    SEX,
    Sex,
)
from shared.values import Day, Text
from shared.values import YesNo as YesOrNo

GIVEN = tuple(field for field in MEMBER_SHAPE if field is not MEMBER_NUMBER)
"""What a person says of a member; the number within the household is the registry's to give."""
_LONGEST_PHONE = 20


def _type_of(field: MemberField) -> Any:
    described = Field(description=field.described, examples=[field.example])
    match field.kind:
        case Choice(choices):
            return Annotated[choices, described]
        case DayKind(earliest, latest):
            return Annotated[
                Day,
                Field(
                    ge=earliest,
                    le=latest,
                    description=field.described,
                    examples=[field.example or "2026-04-13"],
                ),
            ]
        case YesNo():
            return Annotated[YesOrNo, described]
        case Codes(pattern, longest, most):
            code = Annotated[str, Field(pattern=f"^{pattern}$", max_length=longest)]
            return Annotated[
                list[code],
                Field(max_length=most, description=field.described, examples=[field.example]),
            ]
        case Name(longest):
            return Annotated[str, Text(longest=longest), described]
        case Code(pattern, longest):
            return Annotated[
                str,
                Field(
                    pattern=f"^{pattern}$",
                    max_length=longest,
                    description=field.described,
                    examples=[field.example],
                ),
            ]
        case Phone():
            return Annotated[str, Text(longest=_LONGEST_PHONE), described]
    raise TypeError(f"Nobody can give a field such as {field.name}.")


def _added(field: MemberField) -> Any:
    if field.kind.blank == "no":
        return (_type_of(field), False)
    if not field.optional:
        return (_type_of(field), ...)
    if isinstance(field.kind, Codes):
        return (_type_of(field), [])
    return (_type_of(field) | None, None)


def _corrected(field: MemberField) -> Any:
    may_be_null = field.optional and not isinstance(field.kind, Codes)
    given = _type_of(field) | None if may_be_null else _type_of(field)
    # Left out, it stays as it is; null says that it is not known.
    return (given, None)


def _example(*fields: MemberField) -> Callable[[dict[str, Any]], None]:
    def add(schema: dict[str, Any]) -> None:
        schema["examples"] = [
            {
                field.name: field.example.isoformat()
                if isinstance(field.kind, DayKind) and field.example
                else field.example
                for field in fields
            }
        ]

    return add


class _Given(BaseModel):
    @model_validator(mode="after")
    def _who_is_pregnant_is_female(self) -> Any:
        sex = getattr(self, SEX.name, None)
        if getattr(self, PREGNANCY_DUE_ON.name, None) is not None and sex == Sex.MALE:
            raise ValueError("a pregnancy is a woman's: correct the sex, or leave the day out")
        return self


@with_fields(GIVEN, _added)
class MemberIn(_Given):
    """Somebody who is a member of a household, and was not known to be one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_example(*GIVEN))

    joined_on: Day | None = Field(
        default=None,
        description="The day when they joined: of birth, of moving in. Null: as long as the "
        "household is known.",
        examples=[None],
    )


@with_fields(GIVEN, _corrected)
class MemberCorrectionIn(_Given):
    """What is known better of a member. What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_example(GIVEN[2]))


@with_fields(MEMBER_SHAPE, shown)
class MemberValuesOut(BaseModel):
    """Everything that is said of a member."""


class MemberChangeOut(BaseModel):
    """A member who is to be added or corrected, for the person who decides about it."""

    id: UUID
    household_id: UUID
    member_id: UUID
    asked_by: str = Field(examples=["dara@ministry.example"])
    asked_at: datetime
    made_at: datetime | None = Field(description="Null: it waits, was declined, or lapsed.")
    joined_on: date | None
    now: MemberValuesOut | None = Field(description="As they are; null: they are to be added.")
    asked_for: MemberValuesOut
