"""Who answers by files, or pays by hand, calls nobody back."""

from collections.abc import Mapping

from services.payments.providers.protocol import Told, ToldOfBatch
from services.payments.settings import ApiSettings, ProviderSettings
from shared.signatures import BadSignature


class NoCallbacks:
    """Verifies nothing: whoever calls back in such a provider's name is somebody else."""

    def __init__(self, provider: ProviderSettings, settings: ApiSettings) -> None:
        self._name = provider.code

    def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
        """Raises BadSignature."""
        raise BadSignature(f"{self._name} calls nobody back: whoever does is somebody else.")

    def read_callback(self, body: bytes) -> Told | ToldOfBatch | None:
        """Nothing: it is none."""
        return None
