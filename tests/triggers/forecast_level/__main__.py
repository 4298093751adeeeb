"""The service as it is, with one more line in its registry of methods: ``python -m`` this."""

import sys

from services.__main__ import main
from services.triggers.methods import registry
from tests.triggers.forecast_level.method import FORECAST_LEVEL

if __name__ == "__main__":
    registry.METHODS = (*registry.METHODS, FORECAST_LEVEL)
    sys.argv = ["services", "triggers-api", "triggers-worker"]
    main()
