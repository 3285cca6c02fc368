"""Pieces of an HTML page that needs no other file: tables, charts, pictures."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, MARGIN = 640, 200, 44
INKS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MOST_POINTS = 400

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: .5rem 0; } th, td { padding: .2rem .7rem; text-align: right;
  border-bottom: 1px solid #ddd; } th:first-child, td:first-child { text-align: left; }
figure { display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top; max-width: 30%; }
figure img { width: 100%; image-rendering: pixelated; border: 1px solid #bbb; }
figcaption, small, .key { color: #555; font-size: .85rem; }
.swatch { display: inline-block; width: .9em; height: .9em; margin: 0 .3em 0 1em; border: 1px solid #888; }
pre { background: #f5f5f5; padding: .8rem; white-space: pre-wrap; overflow-wrap: anywhere;
  font-size: .85rem; }
.verdict { border-left: 4px solid #0072b2; padding: .2rem 1rem; background: #f2f7fb; }
svg text { font: 11px system-ui, sans-serif; fill: #444; }
@media print { body { margin: 0; max-width: none; } h2, figure, table, svg { break-inside: avoid; } }
"""


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page; the title is escaped, the parts are HTML."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    body = "\n".join(parts)
    return f'<!doctype html><html lang="en"><head>{head}{viewport}</head><body>\n{body}\n</body></html>\n'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def figure(png: bytes, caption: str) -> str:
    """A picture inside of the page."""
    data = base64.b64encode(png).decode()
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def legend(names: Sequence[str], colors: Sequence[str]) -> str:
    """Classes with their colours, #rrggbb."""
    entries = (
        f'<span class="swatch" style="background:{escape(color)}"></span>{escape(name)}'
        for name, color in zip(names, colors, strict=True)
    )
    return f'<p class="key">{"".join(entries)}</p>'


def chart(curves: Mapping[str, Sequence[tuple[float, float]]], across: str) -> str:
    """Curves as an SVG, (x, y) each; names that share no scale belong in charts of their own."""
    drawn = {name: _thinned(points) for name, points in curves.items() if len(points) > 1}
    if not drawn:
        return ""
    xs, ys = ([p[i] for points in drawn.values() for p in points] for i in (0, 1))
    left, right, low, high = min(xs), max(xs), min(min(ys), 0.0), max(ys)
    span_x, span_y = (right - left) or 1, (high - low) or 1

    def at(x: float, y: float) -> str:
        px = MARGIN + (x - left) / span_x * (WIDTH - 2 * MARGIN)
        return f"{px:.1f},{HEIGHT - MARGIN / 2 - (y - low) / span_y * (HEIGHT - MARGIN):.1f}"

    lines, keys = [], []
    for number, (name, points) in enumerate(drawn.items()):
        ink = INKS[number % len(INKS)]
        path = " ".join(at(x, y) for x, y in points)
        lines.append(f'<polyline fill="none" stroke="{ink}" stroke-width="1.5" points="{path}"/>')
        keys.append(f'<span class="swatch" style="background:{ink}"></span>{escape(name)}')
    axis = (
        f'<text x="{MARGIN - 6}" y="12" text-anchor="end">{high:.3g}</text>'
        f'<text x="{MARGIN - 6}" y="{HEIGHT - MARGIN / 2}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 4}" text-anchor="end">{right:.0f} {escape(across)}</text>'
    )
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img"'
    return f'<svg {box}>{"".join(lines)}{axis}</svg><p class="key">{"".join(keys)}</p>'


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most some hundred points: means of equal parts."""
    size = -(-len(points) // MOST_POINTS)
    parts = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(x for x, _ in part) / len(part), sum(y for _, y in part) / len(part)) for part in parts]
