"""Which faults are in the lab now. Written before a fault is made, so that any later process can unmake it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from console.practice.lab.errors import LabError
from console.practice.lab.fault import Notes
from console.state import write_private


@dataclass(frozen=True, slots=True)
class OpenFault:
    """A fault that was begun and not yet undone; `injected_at` is ISO 8601 in UTC."""

    fault_id: str
    injected_at: str
    notes: Notes


class FaultJournal:
    """The open faults of one lab, oldest first, in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[OpenFault, ...]:
        """The open faults; raises LabError when the file is not what this class wrote."""
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return tuple(OpenFault(row["fault_id"], row["injected_at"], row["notes"]) for row in rows)
        except FileNotFoundError:
            return ()
        except (ValueError, KeyError, TypeError) as error:
            raise LabError(
                f"The journal of the lab's faults, {self._path}, cannot be read: {error}.",
                "`triage lab down`, remove that file, and `triage lab up` give a lab without faults.",
            ) from None

    def add(self, item: OpenFault) -> None:
        self._write((*self.read(), item))

    def remove(self, fault_id: str) -> None:
        self._write(tuple(item for item in self.read() if item.fault_id != fault_id))

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def _write(self, items: tuple[OpenFault, ...]) -> None:
        write_private(self._path, json.dumps([asdict(item) for item in items], indent=1))
