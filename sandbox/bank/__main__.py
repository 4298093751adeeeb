"""`python -m sandbox.bank`: see sandbox/README.md."""

import os
import signal
import sqlite3
import sys

from sandbox.bank.book import Book
from sandbox.bank.counter import Counter
from sandbox.bank.options import parse_options
from sandbox.clock import CLOCK


def main() -> None:
    options = parse_options(sys.argv[1:], os.environ)
    CLOCK.follow(options.clock_file)
    try:
        book = Book(options.storage)
    except sqlite3.Error as error:
        sys.stderr.write(f"sandbox.bank: cannot keep the book in {options.storage}: {error}\n")
        sys.exit(2)
    counter = Counter(options, book)

    def end(*_: object) -> None:
        counter.ending = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(f"A bank fetches from {options.fetch}, the book in {options.storage}", flush=True)
    counter.work()
    book.close()


if __name__ == "__main__":
    main()
