"""What is said of an account at a provider that payments does not send to."""

from collections.abc import Collection


def is_unknown(code: str, *, known: Collection[str]) -> bool:
    """Whether payments cannot send there; as long as it told of no provider, nobody can say."""
    return bool(known) and code not in known


def remedy(known: Collection[str]) -> str:
    """What to write instead."""
    return f"Payments sends to no such provider. Write one of {', '.join(sorted(known))}."
