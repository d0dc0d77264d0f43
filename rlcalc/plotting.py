"""One style for every picture, and one way to write it; matplotlib is imported when one is drawn.

Colours are Okabe and Ito's, which the colour-blind can distinguish, and no
series is distinguished by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rlcalc.errors import InputError, shown, suggestion
from rlcalc.files import check_target, replacing

SUFFIXES = (".png", ".svg", ".pdf")
_LEGEND = 64  # letters of a legend that stand beside each other
BLUE, VERMILION, GREEN, BLACK, GREY = "#0072B2", "#D55E00", "#009E73", "#000000", "#777777"


def check_file(name: Path | str) -> Path:
    """The path to draw into, before any work is done for it.

    Raises:
        InputError: ``plot_suffix``, ``plot_folder`` or ``plot_extra_missing``.
    """
    path = Path(name)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        what = f"the suffix {shown(path.suffix)}" if suffix else "no suffix"
        hint = suggestion(suffix, list(SUFFIXES))
        message = f"--plot {shown(name)} has {what}; it takes {', '.join(SUFFIXES)}."
        raise InputError("plot_suffix", message, hint)
    with _as_plot_error():
        check_target(path)
    if find_spec("matplotlib") is None:
        raise InputError(
            "plot_extra_missing",
            "--plot needs matplotlib, which is not installed.",
            "pip install 'rlcalc[plot]'",
        )
    return path


def new_figure(panels: int = 1) -> tuple[Any, list[Any]]:
    """A figure with panels of axes one above the other."""
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(7, 4.2 if panels == 1 else 5.6), layout="constrained")
    axes = figure.subplots(panels, 1, squeeze=False)[:, 0]
    for one in axes:
        for side in ("top", "right"):
            one.spines[side].set_visible(False)
    return figure, list(axes)


def save(figure: Any, name: Path | str) -> Path:
    """Write a picture with its legend; the file appears under its name only when it is complete.

    Raises:
        InputError: ``plot_folder`` or as ``check_file``.
    """
    path = check_file(name)
    labels = [label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]]
    columns = 4 if sum(map(len, labels)) <= _LEGEND else 2
    # outside the axes, so that it can cover no data
    if labels:
        figure.legend(loc="outside lower center", ncols=columns, frameon=False)
    with _as_plot_error(), replacing(path) as file:
        figure.savefig(file, format=path.suffix[1:].lower(), dpi=150)
    return path


@contextmanager
def _as_plot_error() -> Iterator[None]:
    """What cannot be written, under the code that ``--plot`` has always had for it."""
    try:
        yield
    except InputError as error:
        raise InputError("plot_folder", error.message, error.hint) from None
