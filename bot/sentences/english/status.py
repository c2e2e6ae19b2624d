"""What whoever hosts reads on the status page."""

from typing import ClassVar


class Status:
    STATUS_TITLE = "How it goes"
    STATUS_READY = "Everything works."
    STATUS_ENGINES = "Engines that are dreaming"
    STATUS_LINE = "Dreams in line"
    STATUS_OLDEST = "Longest wait now, in seconds"
    STATUS_STATES: ClassVar[dict[str, str]] = {
        "queued": "Waiting",
        "dreaming": "Being dreamt",
        "done": "Finished",
        "failed": "Failed",
        "cancelled": "Cancelled",
    }
    STATUS_DATABASE = "Size of the database and its limit, in MB"
    STATUS_FREE = "Free on the disk, in MB"
    STATUS_DREAMS = "Dreams a day"
    STATUS_WAITS = "Median wait in line, in seconds"
    STATUS_PACE = "Median steps a second"
