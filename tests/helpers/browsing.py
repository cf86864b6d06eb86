"""What a person does at the page, and what one sees there."""

import math

SHEET = "canvas.sheet"


def settled(page):
    """Waits until what was changed is shown."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def draw(page, strokes, size=1.0, at=(0.0, 0.0)):
    """Draws strokes with the mouse, on a part of the sheet of that size and place."""
    page.locator(SHEET).scroll_into_view_if_needed()
    box = page.locator(SHEET).bounding_box()
    for stroke in strokes:
        points = [
            (box["x"] + (at[0] + size * x) * box["width"], box["y"] + (at[1] + size * y) * box["height"])
            for x, y in _thinned(stroke)
        ]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()
    settled(page)


def _thinned(stroke, apart=0.07):
    """Fewer points of a stroke: a browser takes a frame for each movement of the mouse."""
    kept = [stroke[0]]
    for point in stroke[1:-1]:
        if math.dist(point, kept[-1]) >= apart:
            kept.append(point)
    return [*kept, stroke[-1]]


def clear(page):
    """Takes everything off the sheet."""
    page.locator(SHEET).focus()
    page.keyboard.press("Delete")
    settled(page)


def answer(page):
    """What the network says, as it is written on the page; None where it says nothing."""
    best = page.locator(".answer.best .bar-label")
    return best.text_content() if best.count() else None


def serious_faults(page, within=None, **options):
    """What axe-core finds wrong, by its name, of what is serious or worse; on the whole page, or within some of it."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"], "preload": False, **options}
    found = Axe().run(page, context=within, options=options).response["violations"]
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
