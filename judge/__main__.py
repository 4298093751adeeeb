"""Judge a running system: after a restore, after an upgrade, or because somebody asks.

    DATABASE_URL=… python -m judge --book statement.csv --wait 120

DATABASE_URL is the owner's, as for `python -m services migrate`. The system is to be at rest:
what is under way has no end yet, and counts against it. What needs a witness that is not given is
left out, and said to be.

Exit status: 0 if no proof fails, 1 if one does, 2 if a witness could not be heard.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from judge.case import Case, Expected
from judge.records import Records, Searched
from judge.rest import comes_to_rest
from judge.verdict import Outcome, Proof, Verdict, judge, shown
from judge.witnesses import writings
from judge.witnesses.book import (
    COLUMNS,
    Book,
    BookUnreadable,
    all_callbacks_delivered,
    all_lines,
    book_at,
)
from judge.witnesses.database import CANNOT_ASK, read_records, snapshot

_CANNOT_HEAR = 2


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    if not options.database_url:
        _cannot_hear("No database is named: set DATABASE_URL or give --database-url.")
    books = [book_at(where) for where in options.book]
    if options.wait and not comes_to_rest(options.database_url, books, within_seconds=options.wait):
        print(f"It did not come to rest within {options.wait:g} s; judged as it stands.")
    try:
        verdict = judge(_case(options, books))
    except (BookUnreadable, writings.NoDump) as error:
        _cannot_hear(str(error))
    except CANNOT_ASK as error:
        if isinstance(error, OSError) and error.filename:
            _cannot_hear(f"{error.filename}: {error.strerror}")
        _cannot_hear(f"The database cannot be read ({type(error).__name__}): {error}")
    for proof in verdict.proofs:
        print("\n".join(told(proof)))
    print(_summary(verdict))
    sys.exit(0 if verdict.holds else 1)


def told(proof: Proof) -> list[str]:
    """One proof in lines of plain text."""
    match proof.outcome:
        case Outcome.LEFT_OUT:
            said = f"not given: {proof.missing}"
        case Outcome.HOLDS | Outcome.FAILS:
            said = proof.numbers
    return [
        f"{proof.outcome:<8}  {proof.name} ({said})",
        *(f"          {line}" for line in shown(proof.evidence)),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m judge",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--database-url",
        default=os.environ.get("DATABASE_URL"),
        help="the owner's URL of the database; better given as DATABASE_URL, for it is a secret",
    )
    parser.add_argument(
        "--book",
        action="append",
        default=[],
        metavar="URL|FILE",
        help="a provider's book: the sandbox's base URL or its storage, or a .csv with the columns "
        f"{', '.join(COLUMNS)}; once for each book",
    )
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="for it to rest")
    parser.add_argument("--households", type=int, help="how many were imported")
    parser.add_argument("--entitlements", type=int, help="how many there have to be")
    parser.add_argument(
        "--deposit",
        action="append",
        type=_amount,
        metavar="FUND=MINOR",
        help="what was paid into a fund and not taken back, in minor units; once for each fund",
    )
    parser.add_argument(
        "--prefunding",
        action="append",
        type=_amount,
        metavar="PROVIDER=MINOR",
        help="what was prefunded and not taken back, in minor units; once for each provider",
    )
    parser.add_argument(
        "--charges-taken",
        action="append",
        type=_amount,
        metavar="PROVIDER=MINOR",
        help="what it took from the money with it for its services; once for each provider",
    )
    parser.add_argument(
        "--payments-for-an-account", type=int, metavar="N", help="that it may have got at most"
    )
    parser.add_argument(
        "--clock-behind",
        type=float,
        default=0,
        metavar="SECONDS",
        help="by how much the programme's clock is behind the providers', where CLOCK_FILE sets it",
    )
    parser.add_argument(
        "--import-file",
        type=Path,
        metavar="CSV",
        help="a file of households whose personal data are searched for in the dump and the logs",
    )
    parser.add_argument("--log", type=Path, action="append", default=[], help="a log to search")
    parser.add_argument("--pg-dump", default="pg_dump", help="the program that dumps the database")
    return parser


def _amount(text: str) -> tuple[str, int]:
    code, separator, amount = text.partition("=")
    if not code or not separator or not amount.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: give a code and minor units, such as a=1000")
    return code, int(amount)


def _case(options: argparse.Namespace, books: Sequence[Book]) -> Case:
    return Case(
        records=asyncio.run(_records(options.database_url)),
        expected=Expected(
            households=options.households,
            entitlements=options.entitlements,
            deposited_minor=None if options.deposit is None else dict(options.deposit),
            prefunded_minor=None if options.prefunding is None else dict(options.prefunding),
            charges_taken_minor=dict(options.charges_taken or ()),
            clock_behind=timedelta(seconds=options.clock_behind),
            payments_for_an_account=options.payments_for_an_account,
        ),
        book=all_lines(books) if books else None,
        callbacks_delivered=all_callbacks_delivered(books),
        searched=_searched(options),
    )


async def _records(database_url: str) -> Records:
    async with snapshot(database_url) as connection:
        return await read_records(connection)


def _searched(options: argparse.Namespace) -> list[Searched] | None:
    if options.import_file is None:
        return None
    values = writings.personal_values_of(options.import_file)
    return [
        writings.searched_dump(options.database_url, values, pg_dump=options.pg_dump),
        *(writings.searched_file(log, values) for log in options.log),
    ]


def _summary(verdict: Verdict) -> str:
    left_out = len(verdict.of(Outcome.LEFT_OUT))
    said = f"{len(verdict.of(Outcome.HOLDS))} proofs hold, {len(verdict.of(Outcome.FAILS))} fail"
    return f"{said}, {left_out} were left out." if left_out else f"{said}."


def _cannot_hear(why: str) -> NoReturn:
    print(why, file=sys.stderr)
    sys.exit(_CANNOT_HEAR)


if __name__ == "__main__":
    main()
