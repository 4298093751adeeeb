"""How every picture looks: fonts, greys, and its bytes.

No global state of ``pyplot`` is touched: figures are made and drawn by themselves. Text is drawn
as outlines, so that an SVG looks the same where no Khmer font is installed. Matplotlib shapes
text by itself (HarfBuzz, from 3.11 on), which Khmer needs.
"""

import io
import textwrap
from importlib.resources import as_file, files

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from services.triggers.drawing.pictures import Form
from shared.wording.phrase import Language

DARK = "#1d3a57"
FILL = "#456b8f"
STRONG = "#9b2915"
MIDDLE = "#8a94a0"
LIGHT = "#d9dde2"
PAPER = "#ffffff"
TEXT = "#222222"

_DOTS_PER_INCH = 120
_WIDEST_LINE = {Language.ENGLISH: 125, Language.KHMER: 120}


def _install() -> None:
    """What holds for whoever draws in this process: nothing else in it draws."""
    with as_file(files("fontpkg_noto_sans_khmer") / "files") as folder:
        for font in sorted(folder.glob("*.ttf")):
            fontManager.addfont(font)
    matplotlib.rcParams.update(
        {
            "font.family": ["DejaVu Sans", "Noto Sans Khmer"],
            "font.size": 9,
            "text.color": TEXT,
            "axes.edgecolor": MIDDLE,
            "axes.labelcolor": TEXT,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.color": TEXT,
            "ytick.color": TEXT,
            # A dollar sign in somebody's words is one, and no formula.
            "text.parse_math": False,
            "svg.fonttype": "path",
            "svg.hashsalt": "sangkroh",
        }
    )


_install()


def blank(*, width: float, height: float) -> Figure:
    """A figure in inches, laid out by itself."""
    return Figure(figsize=(width, height), dpi=_DOTS_PER_INCH, layout="constrained")


def wrapped(text: str, language: Language, *, share: float = 1.0) -> str:
    """Text in lines that fit on a picture, or on a share of its width."""
    widest = int(_WIDEST_LINE[language] * share)
    return "\n".join(textwrap.wrap(text, widest, break_long_words=False, break_on_hyphens=False))


def as_bytes(figure: Figure, form: Form) -> bytes:
    """The picture in its format: the same figure gives the same bytes."""
    stream = io.BytesIO()
    if form is Form.SVG:
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    else:
        FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None})
    return stream.getvalue()
