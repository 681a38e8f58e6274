"""The simulator's faults on disk: a restart neither heals a meter nor moves a register."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foundation.errors import BadData
from metering.modbus.simulated_faults import Ailment, ailment_from_json

VERSION = 1


class StateFileRefused(BadData):
    """The file is not one the simulator wrote; it is left as it is."""

    code = "state_file_refused"


@dataclass(slots=True)
class FaultBook:
    """What ails which meter, and the number of the last order."""

    last_order_no: int = 0
    ailments: dict[str, Ailment] = field(default_factory=dict)

    def of(self, key: str) -> Ailment:
        """The entry of one meter, made if need be."""
        return self.ailments.setdefault(key, Ailment())


def load_book(path: Path) -> FaultBook:
    """Read the state file; no file is an empty book.

    Raises:
        StateFileRefused: it is none of ours.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return FaultBook()
    except (OSError, ValueError) as error:
        raise StateFileRefused(file=str(path), why=str(error)) from error
    try:
        if content["version"] != VERSION:
            raise StateFileRefused(file=str(path), why="of another version")
        meters = content["meters"].items()
        return FaultBook(
            last_order_no=int(content["last_order_no"]),
            ailments={key: ailment_from_json(entry) for key, entry in meters},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateFileRefused(file=str(path), why=str(error)) from error


def save_book(path: Path, book: FaultBook) -> None:
    """Write the state file whole: a reader finds the old one or the new one, never a part."""
    content = {
        "version": VERSION,
        "last_order_no": book.last_order_no,
        "meters": _entries(book.ailments),
    }
    written = path.with_name(f"{path.name}.{os.getpid()}.new")
    written.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    written.replace(path)


def _entries(ailments: Mapping[str, Ailment]) -> dict[str, object]:
    return {key: ailment.as_json() for key, ailment in ailments.items() if not ailment.is_trivial}
