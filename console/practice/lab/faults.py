"""Every fault that the lab can have, by id."""

from collections.abc import Mapping

from console.practice.lab.fault import LabFault
from console.practice.lab.faults_backend import BACKEND_FAULTS
from console.practice.lab.faults_database import DATABASE_FAULTS
from console.practice.lab.faults_outage import OUTAGE_FAULTS

FAULTS: Mapping[str, LabFault] = {fault.id: fault for fault in (*OUTAGE_FAULTS, *DATABASE_FAULTS, *BACKEND_FAULTS)}
