"""What households are owed: nobody left out, and an end for everybody."""

from collections import Counter
from collections.abc import Collection, Sequence

from judge.proofs.finding import Finding
from judge.records import Announced, Disagreement, Ends, Reach
from judge.words import ENTITLEMENT_ENDS


def every_entitlement_has_an_end(
    ends: Sequence[Ends],
    *,
    possible: Collection[str] = ENTITLEMENT_ENDS,
    disagreements: Sequence[Disagreement] = (),
) -> Finding:
    """No entitlement is open, no payment is live, and both services tell the same end."""
    evidence = [
        f"entitlement {entitlement.entitlement_id} of {entitlement.amount_minor} is "
        f"{entitlement.status or 'unknown'} in the registry; payments settled "
        f"{entitlement.settled_minor or 'nothing'} of it"
        for entitlement in disagreements
    ]
    total: Counter[str] = Counter()
    for ended in ends:
        where = f"{ended.scheme} of {ended.opened_on}, round {ended.round}"
        total.update(ended.by_status)
        for status, count in ended.by_status.items():
            if status not in ENTITLEMENT_ENDS:
                evidence.append(f"{where}: {count:,} entitlements have no end: {status}")
            elif status not in possible:
                evidence.append(f"{where}: {count:,} entitlements ended as none can: {status}")
        if ended.payments_live:
            evidence.append(f"{where}: {ended.payments_live:,} payments are under way")
        if sum(ended.by_status.values()) != ended.counted:
            evidence.append(
                f"{where}: {sum(ended.by_status.values()):,} entitlements, the chunks tell of "
                f"{ended.counted:,}"
            )
        if ended.registry_paid_minor != ended.payments_paid_minor:
            evidence.append(
                f"{where}: the registry says {ended.registry_paid_minor:,} paid, payments says "
                f"{ended.payments_paid_minor:,}"
            )
    if not total:
        evidence.append("there is no entitlement at all")
    told = ", ".join(f"{count:,} {status}" for status, count in total.most_common())
    return Finding(
        numbers=f"{total.total():,} entitlements: {told}",
        evidence=tuple(evidence),
    )


def nobody_is_lost_on_the_way(announced: Sequence[Announced]) -> Finding:
    """Of each chunk, raised and set aside come to what the registry announced."""
    evidence = [
        f"chunk {chunk.chunk_id}: {chunk.announced_count:,} of {chunk.announced_minor:,} "
        f"announced, {chunk.raised_count:,} of {chunk.raised_minor:,} raised and "
        f"{chunk.set_aside_count:,} of {chunk.set_aside_minor:,} set aside"
        for chunk in announced
        if (
            chunk.raised_count + chunk.set_aside_count != chunk.announced_count
            or chunk.raised_minor + chunk.set_aside_minor != chunk.announced_minor
        )
    ]
    if not announced:
        evidence.append("payments took no chunk at all")
    return Finding(
        numbers=f"{sum(chunk.announced_count for chunk in announced):,} announced = "
        f"{sum(chunk.raised_count for chunk in announced):,} raised + "
        f"{sum(chunk.set_aside_count for chunk in announced):,} set aside",
        evidence=tuple(evidence),
    )


def nobody_was_left_out(reaches: Sequence[Reach]) -> Finding:
    """Every eligible household of the areas reached is enrolled, by activation."""
    evidence = [
        f"{reach.scheme} of {reach.opened_on}: {reach.eligible:,} households are eligible where "
        f"it reached, {reach.enrolled:,} are enrolled"
        for reach in reaches
        if reach.eligible != reach.enrolled
    ]
    evidence += [
        f"{reach.scheme} of {reach.opened_on}: triggers and the registry do not both know of it"
        for reach in reaches
        if not reach.known_to_both
    ]
    if not any(reach.eligible for reach in reaches):
        evidence.append("no activation reached anybody")
    return Finding(
        numbers=", ".join(
            f"{reach.scheme} {reach.enrolled:,} of {reach.eligible:,}"
            + (f" ({reach.changed_since:,} changed since)" if reach.changed_since else "")
            for reach in reaches
        ),
        evidence=tuple(evidence),
    )


def everybody_is_registered(expected: int, *, registered: int) -> Finding:
    """As many households as were imported, and no more."""
    return Finding(
        numbers=f"{registered:,} of {expected:,}",
        evidence=()
        if expected == registered > 0
        else (f"{expected:,} households were imported, {registered:,} are registered",),
    )


def everybody_is_entitled(expected: int, *, ends: Sequence[Ends]) -> Finding:
    """As many entitlements as households that are owed one."""
    entitlements = sum(sum(ended.by_status.values()) for ended in ends)
    return Finding(
        numbers=f"{entitlements:,} of {expected:,}",
        evidence=()
        if expected == entitlements > 0
        else (f"{expected:,} households, but {entitlements:,} entitlements",),
    )
