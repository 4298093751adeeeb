"""A forecast ensemble at a place: what each member of each issue says of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.triggers.methods.ensemble_share.document import EnsembleShare
from services.triggers.methods.figures import NOWHERE, Figures
from services.triggers.methods.judgement import Period
from services.triggers.methods.places import Site, rows_by_site


@dataclass(frozen=True, kw_only=True)
class Issue:
    """What was forecast of a period on one day."""

    issued_on: date
    highest: NDArray[np.float64]
    """Of each member, the highest value of the period's days."""

    def share(self, level: float) -> float:
        """The share of the members that reach a level."""
        return float(np.mean(self.highest >= level))


@dataclass(frozen=True, kw_only=True, eq=False)
class EnsembleSeries:
    """Columns of one length in the order of the days that are forecast (ordinals)."""

    site: Site
    observed_on: NDArray[np.int32]
    issued_on: NDArray[np.int32]
    member: NDArray[np.int64]
    """Members of two sources are two members: what they say is pooled."""
    values: NDArray[np.float64]

    def is_awaited(self, period: Period) -> bool:
        return self.site.is_named

    def issues(self, period: Period, *, minimum_members: int) -> list[Issue]:
        """The issues that tell of a period by enough members, the oldest first."""
        first, last = period.first_on.toordinal(), period.last_on.toordinal()
        start, end = np.searchsorted(self.observed_on, [first, last + 1])
        found = []
        for issued_on in np.unique(self.issued_on[start:end]):
            rows = np.flatnonzero(self.issued_on[start:end] == issued_on) + start
            _, member = np.unique(self.member[rows], return_inverse=True)
            highest = np.full(int(member.max()) + 1, -np.inf)
            np.maximum.at(highest, member, self.values[rows])
            if len(highest) >= minimum_members:
                found.append(Issue(issued_on=date.fromordinal(int(issued_on)), highest=highest))
        return found


def ensembles(
    figures: Figures, document: EnsembleShare, *, areas: Sequence[str]
) -> list[EnsembleSeries]:
    """The places that have a level. A value without a member, such as a mean, is left out."""
    sites = rows_by_site(figures, named=document.named, reaches=document.reaches, areas=areas)
    found = []
    for site, rows in sites:
        if not site.is_named:
            continue
        members = rows[figures.member[rows] != NOWHERE]
        order = members[np.argsort(figures.observed_on[members], kind="stable")]
        source = figures.source[order].astype(np.int64)
        found.append(
            EnsembleSeries(
                site=site,
                observed_on=figures.observed_on[order],
                issued_on=figures.published_on[order],
                member=source * 2**32 + figures.member[order],
                values=figures.value[order],
            )
        )
    return found
