"""Where pictures are drawn: one at a time, in a thread, so that the service goes on answering.

The library that draws is loaded by the first who wants a picture: it takes half a second and
forty megabytes, which the others do without. It is not made for several threads at once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import Annotated, TypeVar, assert_never

from fastapi import Depends, FastAPI, Request

from services.triggers.drawing.pictures import ChartPicture, Form, MapPicture, Picture
from shared.errors import Busy
from shared.wording.phrase import Language

Made = TypeVar("Made")

_MAXIMUM_WAITING = 16
_KEPT = 32
"""Pictures of the last that were drawn: a page asks for two, and asks again."""


class Studio:
    """Draws, and turns away whoever would wait too long."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing")
        self._waiting = 0

    async def draw(self, picture: Picture, *, language: Language, form: Form) -> bytes:
        """The picture's bytes; raises Busy."""
        return await self.make(partial(drawn, picture, language, form))

    async def make(self, draw: Callable[[], Made]) -> Made:
        """What `draw` makes, in the one thread that draws; raises Busy."""
        if self._waiting >= _MAXIMUM_WAITING:
            raise Busy("Too many pictures are being drawn. Ask again in a few seconds.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, draw)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


@lru_cache(maxsize=_KEPT)
def drawn(picture: Picture, language: Language, form: Form) -> bytes:
    """The picture's bytes, by the one thread that draws."""
    from services.triggers.drawing.canvas import as_bytes
    from services.triggers.drawing.charts import draw_charts
    from services.triggers.drawing.maps import draw_map

    match picture:
        case ChartPicture():
            return as_bytes(draw_charts(picture, language), form)
        case MapPicture():
            return as_bytes(draw_map(picture, language), form)
        case other:
            assert_never(other)


@asynccontextmanager
async def drawing(app: FastAPI) -> AsyncIterator[None]:
    """The app's own studio, as long as it serves."""
    app.state.studio = Studio()
    yield
    app.state.studio.close()


async def studio_of(request: Request) -> Studio:
    """The app's own."""
    studio: Studio = request.app.state.studio
    return studio


StudioDependency = Annotated[Studio, Depends(studio_of)]
