"""What was promised to people: answers that stand, nothing forgotten, nothing told of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from judge.proofs.finding import Finding
from judge.records import ReadBack, Searched

_OK = 200
_FIXED = ("id", "code", "version", "created_at", "posted_at", "posted_by", "document")
"""Fields that say today what they said when they were first told."""


def nothing_waits_for_a_person(waiting: Mapping[str, int]) -> Finding:
    """No event is parked, no callback unmatched, no chunk refused, no round without money."""
    return Finding(
        numbers=", ".join(f"{count:,} {what}" for what, count in waiting.items()),
        evidence=tuple(f"{count:,} {what}" for what, count in waiting.items() if count)
        or (() if waiting else ("nobody said what waits",)),
    )


def acknowledgements_stand(read_back: Sequence[ReadBack]) -> Finding:
    """Whatever a caller was told is saved can be read back, as it was told."""
    return Finding(
        numbers=f"{len(read_back):,} acknowledgements",
        evidence=tuple(_broken(read_back)) or (() if read_back else ("nothing was acknowledged",)),
    )


def _broken(read_back: Sequence[ReadBack]) -> Iterator[str]:
    for answer in read_back:
        told = answer.acknowledgement
        where = f"{told.service} {told.path}"
        if answer.status_code != _OK or answer.found is None:
            yield f"acknowledged, but not there: {where} ({answer.status_code})"
            continue
        changed = [
            name
            for name in _FIXED
            if name in told.told and told.told[name] != answer.found.get(name)
        ]
        if changed:
            yield f"acknowledged, but different: {where}: {', '.join(changed)}"


def callbacks_are_stored(delivered: Collection[UUID], *, stored: Collection[UUID]) -> Finding:
    """Every callback that a provider saw acknowledged is stored."""
    lost = [payment for payment in delivered if payment not in stored]
    evidence = []
    if lost:
        evidence.append(
            f"{len(lost):,} callbacks were acknowledged and are not there, for instance {lost[0]}"
        )
    if not delivered:
        evidence.append("no callback was ever delivered")
    return Finding(
        numbers=f"{len(delivered):,} payments with a delivered callback", evidence=tuple(evidence)
    )


def nothing_personal_is_told(searched: Sequence[Searched]) -> Finding:
    """No name, phone, ID number or account of a household in any of the writings searched."""
    evidence = [
        f"{writing.writing} tells {sum(writing.told.values()):,} personal values, the first in "
        f"line {writing.first_line}: "
        + ", ".join(f"{count:,} × {kind}" for kind, count in writing.told.items())
        for writing in searched
        if writing.told
    ]
    if not searched:
        evidence.append("nothing was searched")
    return Finding(
        numbers=", ".join(writing.writing for writing in searched), evidence=tuple(evidence)
    )
