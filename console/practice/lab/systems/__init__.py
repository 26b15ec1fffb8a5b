"""The systems that the lab can stand in for, one module each."""

from collections.abc import Mapping

from console.practice.lab.spec import Template
from console.practice.lab.systems.dotmac import DOTMAC
from console.practice.lab.systems.planner import PLANNER
from console.practice.lab.systems.sms import SMS
from console.practice.lab.systems.sovd import SOVD

TEMPLATES: Mapping[str, Template] = {template.guide: template for template in (SMS, PLANNER, DOTMAC, SOVD)}
