"""How it looks over HTTP what tells two versions of a scheme apart."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.estimates.schemas import AreaFilter, Areas, By, VersionNumber
from services.registry.schemes.document import Rule, SchemeDocument
from shared.wording.said import Said


class Outcome(StrEnum):
    """What becomes of a household where one scheme takes the place of another."""

    SAME = "same"
    """It gets as much as before."""
    MORE = "more"
    LESS = "less"
    COMES_IN = "comes-in"
    FALLS_OUT = "falls-out"
    NEITHER = "neither"
    """It gets nothing by either."""


class SideIn(BaseModel):
    """A version, or a document that is not posted; neither: the version in force."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[VersionNumber | None, Field(examples=[1])] = None
    document: SchemeDocument | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.version is not None and self.document is not None:
            raise ValueError("give version or document, not both")
        return self


class CompareIn(BaseModel):
    """What to compare with what, and where."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "base": {},
                    "other": {"version": 1},
                    "areas": ["02"],
                    "by": "district",
                    "reference": "poverty_status = 'poor-1'",
                }
            ]
        },
    )

    base: SideIn = SideIn()
    other: SideIn
    areas: Areas = ["KH"]
    area_filter: AreaFilter = None
    by: Annotated[By, Field(description="`province` or `district`: communes are too small.")] = (
        By.PROVINCE
    )
    reference: Annotated[
        Rule | None,
        Field(description="Who ought to be reached, to tell what each side misses and lets in."),
    ] = None

    @model_validator(mode="after")
    def _of_large_areas(self) -> Self:
        if self.by is By.COMMUNE:
            raise ValueError("compare by province or district: communes are too small")
        return self


class SideOut(BaseModel):
    """One side, whole."""

    scheme: str
    version: int | None
    households: int | None = Field(description="Null: hidden, for it differs by a few.")
    one_round_minor: int | None
    currency: str
    leakage: float | None = Field(
        description="Inclusion error: which part of those whom it reaches the reference does not. "
        "Null: no reference, nobody, or hidden."
    )
    under_coverage: float | None = Field(
        description="Exclusion error: which part of those whom the reference reaches it does not."
    )


class CellOut(BaseModel):
    """How many households have one of these outcomes."""

    outcomes: list[Outcome]
    households: int | None = Field(description="Null: hidden.")


class ComparedRow(BaseModel):
    """The households of an area, or with a feature."""

    keys: list[str] = Field(description="Several: counted together, for one has too few.")
    words: list[Said]
    households: int
    cells: list[CellOut]


class ComparedTable(BaseModel):
    """All households of the areas, by one thing."""

    by: str = Field(examples=["poverty_status"])
    words: Said
    rows: list[ComparedRow]


class CompareOut(BaseModel):
    """Who comes in, who falls out, and whose amount changes: counts alone, and none of a few."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "counted_at": "2022-10-08T02:00:00Z",
                    "base": {
                        "scheme": "flood-2022",
                        "version": 1,
                        "households": 24156,
                        "one_round_minor": 3758580100,
                        "currency": "KHR",
                        "leakage": 0.12,
                        "under_coverage": 0.04,
                    },
                    "other": {
                        "scheme": "flood-2022",
                        "version": 2,
                        "households": 21004,
                        "one_round_minor": 3101000000,
                        "currency": "KHR",
                        "leakage": 0.05,
                        "under_coverage": 0.09,
                    },
                    "households": 30120,
                    "smallest_cell": 10,
                    "outcomes": [
                        {"outcomes": ["same"], "households": 20500},
                        {"outcomes": ["more", "comes-in"], "households": 504},
                        {"outcomes": ["falls-out"], "households": 3152},
                        {"outcomes": ["neither"], "households": 5964},
                    ],
                    "tables": [
                        {
                            "by": "area",
                            "words": {"en": "Province", "km": "ខេត្ត/រាជធានី"},
                            "rows": [
                                {
                                    "keys": ["02"],
                                    "words": [{"en": "Battambang", "km": "បាត់ដំបង"}],
                                    "households": 30120,
                                    "cells": [{"outcomes": ["same"], "households": 20500}],
                                }
                            ],
                        }
                    ],
                }
            ]
        }
    )

    counted_at: datetime
    base: SideOut
    other: SideOut
    households: int = Field(description="Registered in these areas.")
    smallest_cell: int = Field(description="Fewer households than that are not told of.")
    outcomes: list[CellOut] = Field(
        description="Of all; those that too few have are counted together."
    )
    tables: list[ComparedTable]
