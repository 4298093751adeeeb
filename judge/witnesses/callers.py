"""The third witness: callers, who were told that what they ordered is saved."""

from collections.abc import Iterable, Mapping

import httpx

from judge.records import Acknowledgement, ReadBack


def read_back(
    acknowledgements: Iterable[Acknowledgement], *, clients: Mapping[str, httpx.Client]
) -> list[ReadBack]:
    """Ask again for everything that was acknowledged; ``clients`` are by service."""
    return [_asked(told, clients[told.service]) for told in acknowledgements]


def _asked(told: Acknowledgement, client: httpx.Client) -> ReadBack:
    answer = client.get(told.path)
    return ReadBack(
        acknowledgement=told,
        status_code=answer.status_code,
        found=answer.json() if answer.status_code == httpx.codes.OK else None,
    )
