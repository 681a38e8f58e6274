"""Where notices go out: a folder of files, or the log; a real gateway takes their place."""

import json
import logging
from pathlib import Path
from typing import Protocol

from callcenter.messages.types import GatewayAway
from foundation.settings import Settings

logger = logging.getLogger(__name__)


class Gateway(Protocol):
    """Something that takes notices; the same delivery handed over twice is sent once."""

    name: str

    def send(self, delivery_id: int, phone: str, text: str) -> None:
        """Hand a notice over.

        Raises:
            GatewayAway: it is not taken now.
        """


class FileGateway:
    """Writes each notice into a file of its own, for offices without a gateway and for tests."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, delivery_id: int, phone: str, text: str) -> None:
        """Write the notice; one that was written before is left alone."""
        target = self._folder / f"{delivery_id}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if target.exists():
                return
            draft = target.with_suffix(".new")
            draft.touch(mode=0o600)
            content = {"id": delivery_id, "phone": phone, "text": text}
            draft.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
            draft.replace(target)
        except OSError as error:
            raise GatewayAway(gateway=self.name, why=error.strerror or str(error)) from error


class LogGateway:
    """Notes in the log that a notice went out; neither number nor text is written."""

    name = "log"

    def send(self, delivery_id: int, phone: str, text: str) -> None:
        """Note it."""
        logger.info("notice", extra={"delivery": delivery_id, "to": phone[-4:], "signs": len(text)})


def gateway_of(settings: Settings) -> Gateway:
    """Give the gateway the office has chosen."""
    if settings.message_gateway == "log":
        return LogGateway()
    return FileGateway(settings.data_dir / "messages")
