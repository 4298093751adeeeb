"""What an activation would pay, as far as the registry can say: a plain value."""

from dataclasses import dataclass, replace

from shared.contracts.checks import ActivationChecked, AreaReach, AreaSum, FundCover


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Households, and their money over all rounds; None: the registry cannot say."""

    households: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    fund: str | None = None
    cover: FundCover | None = None
    """What the fund has; None: payments does not say."""
    unpayable: int = 0
    """How many of the households have no account that can be paid."""
    rounds: int | None = None
    """Over how many the money is."""
    by_area: tuple[AreaSum, ...] = ()
    """What one round would pay in each province."""
    reach: tuple[AreaReach, ...] = ()
    """What the filter leaves of each area; empty: there is none, or nobody said."""

    @classmethod
    def of(cls, checked: ActivationChecked) -> "Estimate":
        """What is said in full of households and money, or nothing of them."""
        reach = tuple(checked.reach or ())
        if None in (checked.households, checked.amount_minor, checked.currency):
            return cls(reach=reach)
        return cls(
            households=checked.households,
            amount_minor=checked.amount_minor,
            currency=checked.currency,
            fund=checked.fund,
            unpayable=(checked.without_account or 0) + (checked.without_provider or 0),
            rounds=checked.rounds,
            by_area=tuple(checked.by_area),
            reach=reach,
        )

    def covered_by(self, cover: FundCover | None) -> "Estimate":
        """The same, with what its fund has."""
        return replace(self, cover=cover)

    @property
    def is_known(self) -> bool:
        return self.households is not None

    def __str__(self) -> str:
        if not self.is_known:
            return "nobody can say how much"
        return f"about {self.households:,} households, {self.amount_minor:,} {self.currency}"
