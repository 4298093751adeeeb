"""`python -m sandbox`: see README.md."""

import logging
import os
import sys

from sandbox.options import parse_options
from sandbox.server import CannotStart, serve


def main() -> None:
    options = parse_options(sys.argv[1:], os.environ)
    logging.basicConfig(level=logging.WARNING, format="sandbox: %(message)s")
    try:
        serve(options)
    except CannotStart as error:
        sys.stderr.write(f"sandbox: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
