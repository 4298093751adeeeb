"""Whether a scheme pays more to a household than the owner of its fund lets it.

A household of sixty could get far more than anybody does, so the largest possible amount says
little. What can be seen from the document alone is refused with it: what the smallest household
gets, or any one part of the amount, above the bound. What a household comes to is seen when it is
enrolled, and above the bound it is not paid.
"""

from collections.abc import Iterator, Sequence

from services.registry.funds.tables import Fund
from services.registry.households.shape import CATEGORIES, MEMBERS
from services.registry.schemes.benefit import components
from services.registry.schemes.document import BenefitCase, SchemeDocument

_SMALLEST = {MEMBERS.name: 1} | {category.name: 0 for category in CATEGORIES}
_ONE_OF_EACH = {MEMBERS.name: 2} | {category.name: 1 for category in CATEGORIES}
"""Two members: so that one is paid for, whether or not the head is counted."""


def above_bound(document: SchemeDocument, fund: Fund) -> Sequence[tuple[str, str]]:
    """Pointers into the document, each with what is wrong there; empty: nothing is."""
    return list(_faults(document, fund))


def _faults(document: SchemeDocument, fund: Fund) -> Iterator[tuple[str, str]]:
    if fund.currency != document.currency:
        yield (
            "/currency",
            f"The fund '{fund.code}' is in {fund.currency}, the scheme pays {document.currency}.",
        )
        return
    bound = f"the {fund.maximum_payment_minor:,} {fund.currency} that its owner lets it pay"
    for position, case in enumerate(document.benefit):
        smallest = sum(part.amount_minor for part in components(case, _SMALLEST))
        pointer = f"/benefit/{position}"
        if smallest > fund.maximum_payment_minor:
            yield (
                pointer,
                f"Case {position + 1} gives a household of one {smallest:,}, above {bound}.",
            )
        else:
            yield from (
                (pointer, f"Case {position + 1} gives {each:,} for one {name}, above {bound}.")
                for name, each in _parts(case)
                if each > fund.maximum_payment_minor
            )


def _parts(case: BenefitCase) -> Iterator[tuple[str, int]]:
    for part in components(case, _ONE_OF_EACH):
        yield part.name, part.each_minor
