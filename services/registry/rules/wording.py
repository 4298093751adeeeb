"""What the values of attributes are called, in English and Khmer."""

from collections.abc import Mapping
from typing import Final

from services.registry.areas.tables import Residence
from services.registry.households.shape import PovertyStatus
from shared.wording.phrase import Phrase

CHOICES: Final[Mapping[str, Phrase]] = {
    PovertyStatus.POOR_1: Phrase("IDPoor level 1 (poor-1)", "ក្រីក្រកម្រិត១ (poor-1)"),
    PovertyStatus.POOR_2: Phrase("IDPoor level 2 (poor-2)", "ក្រីក្រកម្រិត២ (poor-2)"),
    PovertyStatus.AT_RISK: Phrase("at risk of poverty (at-risk)", "ងាយនឹងធ្លាក់ក្នុងភាពក្រីក្រ (at-risk)"),
    PovertyStatus.NOT_POOR: Phrase("not poor (not-poor)", "មិនក្រីក្រ (not-poor)"),
    Residence.PHNOM_PENH: Phrase("Phnom Penh (phnom-penh)", "ភ្នំពេញ (phnom-penh)"),
    Residence.URBAN: Phrase("urban", "ទីប្រជុំជន (urban)"),
    Residence.RURAL: Phrase("rural", "ជនបទ (rural)"),
}
"""Of the words that attributes may be."""


def choice_words(value: str) -> Phrase:
    """A text of a rule, as people call it; codes are the same in both languages."""
    return CHOICES.get(value) or Phrase.same(value)
