"""The sheet of names as it is printed, to be laid beside a list of payments. Pure."""

from datetime import datetime

from services.registry.name_sheets.schemas import NameSheetOut
from shared.clock import COUNTRY_ZONE
from shared.printing import Column, Paper, numbered
from shared.wording import numbers
from shared.wording.phrase import Phrase

_ROW_MM = 9.0
_COLUMNS = (
    Column(Phrase("No.", "ល.រ"), 20, "C"),
    Column(Phrase("Code", "លេខកូដ"), 32, "C"),
    Column(Phrase("Head of the household", "មេគ្រួសារ"), 74),
    Column(Phrase("Card number", "លេខប័ណ្ណ"), 64, "C"),
)
_NOTES = (
    Phrase(
        "It names persons: whoever pays keeps it to themselves, and gives it back with the list.",
        "ឯកសារនេះមានឈ្មោះបុគ្គល៖ អ្នកបើកប្រាក់ត្រូវរក្សាទុកជាសម្ងាត់ ហើយប្រគល់មកវិញជាមួយបញ្ជី។",
    ),
    Phrase(
        "Nothing is paid or signed on this sheet.",
        "មិនមានការបើកប្រាក់ ឬចុះហត្ថលេខាលើឯកសារនេះទេ។",
    ),
)


def paper_of(sheet: NameSheetOut, *, now: datetime) -> Paper:
    """The paper of the names for a list."""
    day = numbers.day(now.astimezone(COUNTRY_ZONE).date())
    return Paper(
        title=Phrase("Names for a list of payments", "បញ្ជីឈ្មោះសម្រាប់បញ្ជីបើកប្រាក់"),
        code=sheet.list_code,
        made_at=now,
        facts=(
            (Phrase("List", "បញ្ជីលេខ"), Phrase.same(sheet.list_code)),
            (Phrase("Made on", "ធ្វើនៅ"), day),
        ),
        columns=_COLUMNS,
        rows=[
            [numbered(line.number), line.code, line.name or "–", line.registration_number or "–"]
            for line in sheet.lines
        ],
        row_mm=_ROW_MM,
        notes=_NOTES,
    )
