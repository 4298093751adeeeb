"""What an activation would pay, as far as the registry can say: a plain value."""

from dataclasses import dataclass

from shared.contracts.checks import ActivationChecked


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Households, and their money over all rounds; None: the registry cannot say."""

    households: int | None = None
    amount_minor: int | None = None
    currency: str | None = None

    @classmethod
    def of(cls, checked: ActivationChecked) -> "Estimate":
        """What is said in full, or nothing."""
        if None in (checked.households, checked.amount_minor, checked.currency):
            return cls()
        return cls(
            households=checked.households,
            amount_minor=checked.amount_minor,
            currency=checked.currency,
        )

    @property
    def is_known(self) -> bool:
        return self.households is not None

    def __str__(self) -> str:
        if not self.is_known:
            return "nobody can say how much"
        return f"about {self.households:,} households, {self.amount_minor:,} {self.currency}"
