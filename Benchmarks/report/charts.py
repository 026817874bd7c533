"""Charts as SVG: bars of rates, and lines. Text, axes and colours follow the reader's light or dark scheme."""

import math
from html import escape

COLOURS = ["#3b6fd4", "#e07b39", "#7a7f87", "#3a9a5f", "#a35bb5"]
DARK_COLOURS = ["#7aa5ff", "#ffab70", "#a8adb5", "#6fd199", "#d79ae6"]
FONT = "font-family: -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


def _style():
    light = "\n".join(f".c{i} {{ fill: {c}; }} .l{i} {{ stroke: {c}; }}" for i, c in enumerate(COLOURS))
    dark = "\n".join(f".c{i} {{ fill: {c}; }} .l{i} {{ stroke: {c}; }}" for i, c in enumerate(DARK_COLOURS))
    return f"""<style>
text {{ {FONT}; font-size: 12px; fill: #1f2328; }}
.title {{ font-size: 15px; font-weight: 600; }}
.small {{ font-size: 11px; fill: #59636e; }}
.back {{ fill: #ffffff; }}
.grid {{ stroke: #d1d9e0; stroke-width: 1; }}
.line {{ fill: none; stroke-width: 2; }}
{light}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3; }} .small {{ fill: #9198a1; }} .back {{ fill: #0d1117; }} .grid {{ stroke: #3d444d; }}
{dark}
}}
</style>"""


def _svg(width, height, title, body):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">\n{_style()}\n<rect class="back" width="{width}" height="{height}"/>\n'
        f'<text class="title" x="16" y="26">{escape(title)}</text>\n' + "\n".join(body) + "\n</svg>\n")


def short(value):
    """1234567 as 1.23 M."""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def amount(value):
    """1234.5 as 1,234."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def bars(title, note, groups, unit):
    """`groups`: [(label, [(way, value, colour)])]. One group below the other, each bar with its value; the scale is
    logarithmic, since what is compared differs by a hundred."""
    values = [value for _, ways in groups for _, value, _ in ways]
    low, high = 10 ** math.floor(math.log10(min(values) * 0.99)), max(values)
    left, width, bar, gap = 250, 860, 17, 14
    span = width - left - 110
    place = lambda value: left + span * (math.log(value / low) / math.log(high / low) if high > low else 1)
    body, y = [f'<text class="small" x="16" y="44">{escape(note)}</text>'], 62
    top = y
    for label, ways in groups:
        body.append(f'<text x="16" y="{y + 13}" font-weight="600">{escape(label)}</text>')
        y += 18
        for way, value, colour in ways:
            body.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(way)}</text>')
            body.append(f'<rect class="c{colour}" x="{left}" y="{y + 2}" width="{max(2, place(value) - left):.1f}" '
                        f'height="{bar - 3}" rx="2"/>')
            body.append(f'<text x="{place(value) + 6:.1f}" y="{y + 13}">{amount(value)} {escape(unit)}</text>')
            y += bar
        y += gap
    power = low
    grid = []
    while power <= high:
        x = place(power)
        grid.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{y}"/>')
        grid.append(f'<text class="small" x="{x:.1f}" y="{y + 14}" text-anchor="middle">{short(power)}</text>')
        power *= 10
    return _svg(width, y + 26, title, grid + body)


def lines(title, note, x_label, y_label, series):
    """`series`: [(name, [(x, y)])]. x is logarithmic, y starts at 0."""
    width, height, left, top, bottom = 640, 350, 64, 78, 300
    right = width - 24
    xs = [x for _, points in series for x, _ in points]
    low, high = min(xs), max(xs)
    most = max(y for _, points in series for _, y in points) * 1.08
    place_x = lambda x: left + (right - left) * (math.log(x / low) / math.log(high / low) if high > low else 0.5)
    place_y = lambda y: bottom - (bottom - top) * y / most
    body = [f'<text class="small" x="16" y="44">{escape(note)}</text>']
    step = 10 ** math.floor(math.log10(most))
    step = next(step * part for part in (0.1, 0.2, 0.5, 1, 2) if most / (step * part) <= 6)
    tick = 0.0
    while tick <= most:
        y = place_y(tick)
        body.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        body.append(f'<text class="small" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
        tick += step
    for x in sorted(set(xs)):
        body.append(f'<text class="small" x="{place_x(x):.1f}" y="{bottom + 16}" text-anchor="middle">{short(x)}</text>')
    body.append(f'<text class="small" x="{(left + right) / 2}" y="{bottom + 36}" text-anchor="middle">{escape(x_label)}</text>')
    body.append(f'<text class="small" x="{left}" y="{top - 6}">{escape(y_label)}</text>')
    for number, (name, points) in enumerate(series):
        path = " ".join(f"{'M' if i == 0 else 'L'}{place_x(x):.1f} {place_y(y):.1f}" for i, (x, y) in enumerate(points))
        body.append(f'<path class="line l{number}" d="{path}"/>')
        body += [f'<circle class="c{number}" cx="{place_x(x):.1f}" cy="{place_y(y):.1f}" r="3.5"/>' for x, y in points]
        if len(series) > 1:
            body.append(f'<text x="{left + 12 + 150 * number}" y="{bottom - 12}"><tspan class="c{number}">● </tspan>'
                        f'{escape(name)}</text>')
    return _svg(width, height, title, body)
