"""Talking to one service as an official's program would: over HTTP, with a token."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx

from shared.ids import new_id
from shared.version import API_PREFIX

T = TypeVar("T")

_FIRST_LOOK_SECONDS = 0.05
_LATER_LOOK_SECONDS = 0.5
_SHARE_OF_LOOKING = 0.1
_PAGE = 500


class Refused(Exception):
    """A service's answer that is not the one hoped for, in one line."""


class NeverCame(Exception):
    """Something that was waited for stood still for too long, in one line."""


class Api:
    """One service's API, and the second person who approves what the first proposes there."""

    def __init__(self, service: str, client: httpx.Client, checker: httpx.Client) -> None:
        self.service = service
        self._client = client
        self._checker = checker

    def get(self, path: str, **query: Any) -> Any:
        """The answer's JSON; raises Refused."""
        return self._answer(self._client.get(path, params=query or None))

    def find(self, path: str) -> Any | None:
        """The answer's JSON, or None where there is no such thing; raises Refused."""
        response = self._client.get(path)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        return self._answer(response)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Create something, once; raises Refused.

        Where that needs two persons, the second approves it, and what came of it is answered.
        """
        answer = self.propose(path, body)
        if "evidence_by" not in answer:
            return answer
        return self.get(self.approve(answer["id"])["outcome"].removeprefix(API_PREFIX))

    def propose(self, path: str, body: dict[str, Any]) -> Any:
        """Create something, once, or propose it to the second person; raises Refused."""
        headers = {"Idempotency-Key": str(new_id())}
        return self._answer(self._client.post(path, json=body, headers=headers))

    def approve(self, approval_id: str) -> Any:
        """Have the second person approve a proposal; raises Refused."""
        return self._answer(
            self._checker.post(
                f"/approvals/{approval_id}/approval",
                json={"reason": "Checked by the second person."},
            )
        )

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self._answer(self._client.put(path, json=body))

    def send_csv(self, path: str, content: Iterator[bytes], *, timeout_seconds: float) -> Any:
        """Stream a CSV body, as it is made."""
        return self._answer(
            self._client.put(
                path,
                content=content,
                headers={"Content-Type": "text/csv; charset=utf-8"},
                timeout=timeout_seconds,
            )
        )

    def post_file(
        self,
        path: str,
        content: Iterator[bytes],
        *,
        media_type: str,
        timeout_seconds: float,
        **query: str,
    ) -> Any:
        """Stream a file to be taken once; raises Refused."""
        return self._answer(
            self._client.post(
                path,
                params=query,
                content=content,
                headers={"Content-Type": media_type, "Idempotency-Key": str(new_id())},
                timeout=timeout_seconds,
            )
        )

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=_PAGE, **query, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def _answer(self, response: httpx.Response) -> Any:
        if response.is_success:
            return response.json()
        request = response.request
        try:
            problem = response.json()
            detail = f"{problem.get('detail') or problem.get('title')} {problem.get('errors', '')}"
        except (ValueError, AttributeError):
            detail = response.text[:200]
        raise Refused(
            f"{self.service} answered {response.status_code} to {request.method} "
            f"{request.url.path}: {detail.strip()}"
        )


def wait_for(
    look: Callable[[], tuple[T | None, object]],
    *,
    what: str,
    still_seconds: float,
    on_progress: Callable[[object], None] | None = None,
) -> T:
    """Look until there is something; raises NeverCame when nothing moves for ``still_seconds``.

    ``look`` returns what was waited for, or None, and a measure of how far it is: as long as
    that changes, the wait goes on.
    """
    deadline = time.monotonic() + still_seconds
    pause = _FIRST_LOOK_SECONDS
    last: object = None
    while True:
        begun = time.monotonic()
        found, measure = look()
        took = time.monotonic() - begun
        if on_progress is not None:
            on_progress(measure)
        if found is not None:
            return found
        if measure != last:
            last = measure
            deadline = time.monotonic() + still_seconds
        if time.monotonic() > deadline:
            raise NeverCame(f"{what} did not come; for {still_seconds:.0f} s it stood at {last}.")
        # Looking takes from the machine that is looked at, and more of it in a larger country.
        time.sleep(max(pause, took / _SHARE_OF_LOOKING))
        pause = min(pause * 1.3, _LATER_LOOK_SECONDS)
