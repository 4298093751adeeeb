"""Who did what, when, from where and why: a record of each change and of each unmasked read.

A request's own record is written with what it changed, in one transaction, by the session that
every route takes; nobody has to remember it. Whoever knows more (what was before, what is after)
adds it with ``record``. The records of a service are chained, and ``python -m services audit``
names the one that was altered, deleted or inserted since.
"""

from shared.audit.exporting import Export, Taken
from shared.audit.recording import about, read_later, record, recorded, showed, speak_for
from shared.audit.sequencing import Sequencer

__all__ = [
    "Export",
    "Sequencer",
    "Taken",
    "about",
    "read_later",
    "record",
    "recorded",
    "showed",
    "speak_for",
]
