"""Takes a picture of every page in light, in dark and at a phone's width, for people to look at.

python -m tests.browser.pictures FOLDER [PART OF A NAME]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tests.browser.gallery import WIDE, a_gallery, furnish_in
from tests.browser.tabs import a_browser

LOOKS: Sequence[tuple[str, Literal["light", "dark"], int]] = (
    ("light", "light", WIDE[0]),
    ("dark", "dark", WIDE[0]),
    ("phone", "light", 360),
)


async def take(folder: Path, part: str = "") -> int:
    """Take the pictures whose name has the part; return how many there are."""
    taken = 0
    with tempfile.TemporaryDirectory() as place:
        furnished = await furnish_in(Path(place))
        async with a_browser() as browser, a_gallery(furnished, Path(place), browser) as gallery:
            for picture in await gallery.pictures():
                if part not in picture.name:
                    continue
                page = await gallery.tab(picture.who)
                await page.goto(picture.url)
                for look, scheme, width in LOOKS:
                    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                    await page.set_viewport_size({"width": width, "height": WIDE[1]})
                    file = folder / look / f"{picture.name}.png"
                    await page.screenshot(path=file, full_page=True)
                    taken += 1
    return taken


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]), *sys.argv[2:3]))
