"""Makes and unmakes faults on the lab: journal first, then the fault, then the proof that it bites."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from console.practice.lab.errors import LabError, NotInLab
from console.practice.lab.fault import LabFault
from console.practice.lab.fault_journal import FaultJournal, OpenFault
from console.practice.lab.faults import UNDOABLE
from console.practice.lab.faults_outage import end_holders
from console.practice.lab.stack import Lab
from console.practice.lab.target import Target

HEALED_TIMEOUT_S = 60.0


class Injection:
    """The faults of one lab."""

    def __init__(self, lab: Lab, say: Callable[[str], None]) -> None:
        self._lab = lab
        self._say = say
        self._target = Target(lab)
        self._journal = FaultJournal(lab.folder / "faults.json")

    def open(self) -> tuple[OpenFault, ...]:
        """The faults that are in the lab now, oldest first."""
        return self._journal.read()

    def inject(self, fault: LabFault) -> None:
        """Make a fault and wait until it bites. What fails half-way, or is interrupted, is undone; raises LabError."""
        if any(item.fault_id == fault.id for item in self.open()):
            self._say(f"{fault.id} is in place already.")
            return
        self._lab.refuse_foreign()  # Before the journal: nothing of it would ever have to be undone.
        now = datetime.now(UTC)
        notes = {"at": str(int(now.timestamp())), **fault.prepare(self._target)}
        self._journal.add(OpenFault(fault.id, now.isoformat(timespec="seconds"), notes))
        try:
            fault.inject(self._target, notes)
            self._target.wait(lambda: fault.bites(self._target, notes), f"{fault.id} bites")
        except BaseException:
            self._say(f"{fault.id} did not take; undoing it")
            self.undo(fault.id)
            raise
        self._say(f"{fault.id} is in place: {fault.title}. `triage lab undo {fault.id}` removes it.")

    def undo(self, fault_id: str) -> None:
        """Unmake a fault if it is in the journal; services may need a moment more, which `healed` awaits."""
        found = next((item for item in self.open() if item.fault_id == fault_id), None)
        if found is None:
            self._say(f"{fault_id} is not in place.")
            return
        if fault_id not in UNDOABLE:
            raise LabError(f"The journal names {fault_id}, which is no fault.", "`triage lab down` forgets it.")
        try:
            UNDOABLE[fault_id].undo(self._target, found.notes)
        except NotInLab as error:
            self._say(f"{error.message} With it, {fault_id} is gone.")
            self._journal.remove(fault_id)
            return
        self._journal.remove(fault_id)
        if not self.open():
            self._target.start_all()
        self._say(f"{fault_id} is undone.")

    def replies(self, fault: LabFault | None) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """What the affected user would say: answers by the asking step's id, and inputs by name; None: nobody is affected."""
        usual = self._lab.plan.template.inputs
        well = {"folder": str(self._target.project_file("").resolve()), **(usual(self._lab.secret) if usual else {})}
        answers = self._lab.plan.template.answers
        return ({**answers, **fault.answers}, {**well, **fault.inputs(self._target)}) if fault else (answers, well)

    def healed(self) -> None:
        """Wait until a lab without faults is healthy, and remembers none; returns at once while another fault is in place."""
        if not self.open():
            self._lab.wait_until_up(HEALED_TIMEOUT_S)
            self._target.forget_statements()

    def undo_all(self) -> None:
        """Unmake every fault, the newest first."""
        if not self.open():
            self._say("No fault is in place.")
        for item in reversed(self.open()):
            self.undo(item.fault_id)

    def abandon(self) -> None:
        """Forget the faults of a lab that is about to be removed; ends the processes that a fault left outside it."""
        try:
            found = self.open()
        except LabError:
            found = ()  # A journal that nobody can read names nothing that could be ended.
        for item in found:
            if "folder" in item.notes:
                end_holders(item.notes)
        self._journal.clear()
