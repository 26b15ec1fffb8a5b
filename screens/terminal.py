"""The operator's terminal, which may be gone at any moment: output to it is then dropped, and the program ends in good order."""

from typing import IO, Any

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver


def outliving(found: type[Driver]) -> type[Driver]:
    """The driver that an app chose, made such that it outlives the terminal; one that was asked for by name stays as it is."""
    return TerminalDriver if found is LinuxDriver else found


class TerminalDriver(LinuxDriver):
    """Textual's own driver. Its writing thread dies of the first error, and whoever writes on waits for it forever."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._file: Any = Outlived(self._file)


class Outlived:
    """A file that takes everything, also when what lies behind it is gone."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._lost = False

    def write(self, text: str) -> None:
        if not self._lost:
            try:
                self._file.write(text)
            except OSError:
                self._lost = True

    def flush(self) -> None:
        if not self._lost:
            try:
                self._file.flush()
            except OSError:
                self._lost = True

    def fileno(self) -> int:
        return self._file.fileno()
