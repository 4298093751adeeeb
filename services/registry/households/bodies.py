"""The API's bodies take the fields of a household from its shape."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, create_model
from pydantic import Field as Described

from services.registry.households.fields import Field, Kept

Body = TypeVar("Body", bound=BaseModel)


def with_fields(
    fields: Sequence[Field], definition: Callable[[Field], Any]
) -> Callable[[type[Body]], type[Body]]:
    """Adds a field of a body for each of ``fields``, with what ``definition`` says of it."""

    def extend(body: type[Body]) -> type[Body]:
        return create_model(
            body.__name__,
            __base__=body,
            __doc__=body.__doc__,
            __module__=body.__module__,
            **{field.name: definition(field) for field in fields},
        )

    return extend


def shown(field: Field) -> Any:
    """A field as it is returned."""
    # Whoever was erased is called nothing.
    may_be_absent = field.optional or field.sensitive or field.kept is Kept.SEALED
    shown_type: Any = field.kind.shown | None if may_be_absent else field.kind.shown
    only = "; only for callers with `households:read-personal`" if field.sensitive else ""
    return (
        Annotated[
            shown_type, Described(description=field.described + only, examples=[field.example])
        ],
        ...,
    )


def given(field: Field) -> Any:
    """A field as it has to be given."""
    pattern = f"^{field.kind.pattern}$" if field.kind.pattern else None
    given_type: Any = field.kind.shown
    return (
        Annotated[
            given_type,
            Described(
                description=field.described,
                pattern=pattern,
                max_length=field.kind.maximum_characters,
                examples=[field.example],
            ),
        ],
        ...,
    )
