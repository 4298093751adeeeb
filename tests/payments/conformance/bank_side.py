"""A bank that takes files, by what it writes into our folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from lxml import etree

from services.payments.providers.bankfile.initiation import NAMESPACE
from services.payments.settings import ProviderSettings
from shared.ids import new_id
from tests.payments.bank import bank_provider
from tests.payments.bank_reports import line, report
from tests.payments.conformance.sides import CODE, OtherSide, Saying, Seen

PROTOCOL = "iso20022-pain.001-files"


class Bank(OtherSide):
    """Fetches what lies in ``outgoing``, and reports in ``incoming``."""

    def __init__(self, settings: ProviderSettings, *, folders: dict[str, Path]) -> None:
        super().__init__(settings)
        self._folders = folders
        self._reports = 0
        self._hidden = folders["outgoing"].with_name("away")

    @property
    def saying(self) -> Saying:
        return self._saying

    @saying.setter
    def saying(self, saying: Saying) -> None:
        self._saying = saying
        if saying is Saying.MAINTENANCE:
            self._folders["outgoing"].rename(self._hidden)

    @property
    def seen(self) -> list[Seen]:
        """What lies in ``outgoing``, which is never written twice."""
        return [_seen(path) for path in sorted(self._folders["outgoing"].glob("*.xml"))]

    @seen.setter
    def seen(self, _: list[Seen]) -> None:
        """Nothing: it is what lies there."""

    async def speak_up(self) -> None:
        self._reports += 1
        if self.saying is Saying.BABBLES:
            self._write(self.babble[1])
            return
        for seen in self.seen if self.saying is not Saying.MAINTENANCE else []:
            content = self._report(seen)
            if content is not None:
                self._write(content)

    def _write(self, content: bytes) -> None:
        (self._folders["incoming"] / f"report-{self._reports}.xml").write_bytes(content)

    def _report(self, seen: Seen) -> bytes | None:
        """What is said of a file; None: nothing."""
        name, reference = seen.request_id, "of-{}"
        match self.saying:
            case Saying.KEEPS_SILENT:
                return None
            case Saying.TAKES:
                return report(name, group="ACTC", number=self._reports)
            case Saying.NO_FLOAT:
                return report(name, group="RJCT", reason="AM04", number=self._reports)
            case Saying.REJECTS_THEN_PAYS if self._reports > 1:
                word, reason, lines = "ACSC", None, seen.lines
            case Saying.REJECTS | Saying.REJECTS_THEN_PAYS:
                word, reason, lines = "RJCT", "AC04", seen.lines
            case Saying.DUPLICATE:
                word, reason, lines = "RJCT", "AM05", seen.lines
            case Saying.ECHOES:
                word, reason, lines = "RJCT", seen.accounts[0], seen.lines
            case Saying.PAYS_ANOTHER:
                word, reason, lines = "ACSC", None, (new_id(),)
            case _:
                word, reason, lines = "ACSC", None, seen.lines
        said = [
            line(
                each,
                word,
                reason=reason,
                reference=reference.format(each.hex[:24]) if word == "ACSC" else None,
            )
            for each in lines
        ]
        return report(name, lines=said, number=self._reports)


@asynccontextmanager
async def bank(directory: Path) -> AsyncIterator[OtherSide]:
    folders = {name: directory / name for name in ("outgoing", "incoming", "state")}
    for folder in folders.values():
        folder.mkdir()
    given = {"code": CODE, "name": "Mekong", "currency": "KHR"}
    settings = ProviderSettings.model_validate(bank_provider(given, folders, keys=[]))
    yield Bank(settings, folders=folders)


def _seen(path: Path) -> Seen:
    tree = etree.parse(path)
    where = "/".join(f"{{{NAMESPACE}}}{name}" for name in ("CdtrAcct", "Id", "Othr", "Id"))
    accounts = tree.iterfind(f".//{where}")
    return Seen(
        path.stem,
        tuple(UUID(name.text) for name in tree.iter(f"{{{NAMESPACE}}}EndToEndId")),
        tuple(account.text for account in accounts if account.text),
        path.read_bytes(),
    )
