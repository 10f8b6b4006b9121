"""Uploaded files as Discord's CDN keeps them: an attachment's record for messages, the bytes for whoever downloads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

BYTES_KEPT = 64 * 1024 * 1024
LARGEST_FILE = 10 * 1024 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file on its way in; `number` is its place among the files of one request."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"
    number: int = 0


class Files:
    """Every file that was uploaded; the oldest go when there are too many bytes."""

    def __init__(self) -> None:
        self.address = ""
        self._kept: dict[int, Upload] = {}

    def keep(self, upload: Upload, *, file_id: int, channel_id: int, description: str | None = None) -> Json:
        """Store a file and return it as an attachment, with its size in pixels when it is a PNG."""
        name = safe_name(upload.filename)
        self._kept[file_id] = upload
        while sum(len(each.content) for each in self._kept.values()) > BYTES_KEPT and len(self._kept) > 1:
            del self._kept[next(iter(self._kept))]
        url = f"{self.address}/attachments/{channel_id}/{file_id}/{name}"
        body: Json = {
            "id": str(file_id),
            "filename": name,
            "size": len(upload.content),
            "url": url,
            "proxy_url": url,
            "content_type": upload.content_type,
            "ephemeral": False,
        }
        if description:
            body["description"] = description
        return body | pixels(upload.content)

    def find(self, file_id: int) -> Upload | None:
        """Return a file, None when it is unknown or gone."""
        return self._kept.get(file_id)


def safe_name(filename: str) -> str:
    """Return a file's name as Discord stores it."""
    return re.sub(r"[^\w.\-]", "_", filename.rpartition("/")[2]) or "file"


def pixels(content: bytes) -> Json:
    """Return width and height of a PNG, nothing for other files."""
    if not content.startswith(_PNG) or len(content) < 24:
        return {}
    return {"width": int.from_bytes(content[16:20]), "height": int.from_bytes(content[20:24])}
