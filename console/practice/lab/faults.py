"""Every fault that the lab can have, by id."""

from collections.abc import Mapping

from console.practice.lab import faults_dotmac, faults_planner, faults_sms, faults_smsops, faults_sovd
from console.practice.lab.fault import LabFault
from console.practice.lab.faults_backend import BACKEND_FAULTS
from console.practice.lab.faults_database import DATABASE_FAULTS
from console.practice.lab.faults_outage import OUTAGE_FAULTS
from console.practice.lab.kinds import KINDS
from console.practice.lab.noises import NOISES

BY_SYSTEM: Mapping[str, tuple[LabFault, ...]] = {
    "sms": (*OUTAGE_FAULTS, *DATABASE_FAULTS, *BACKEND_FAULTS, *faults_sms.FAULTS, *faults_smsops.FAULTS, *KINDS["sms"]),
    "planner": (*faults_planner.FAULTS, *KINDS["planner"]),
    "dotmac": (*faults_dotmac.FAULTS, *KINDS["dotmac"]),
    "sovd": (*faults_sovd.FAULTS, *KINDS["sovd"]),
}
"""By the template that has them."""
FAULTS: Mapping[str, LabFault] = {fault.id: fault for faults in BY_SYSTEM.values() for fault in faults}
UNDOABLE: Mapping[str, LabFault] = {**FAULTS, **{noise.id: noise for noise in NOISES.values()}}
"""Everything that a journal may name."""
