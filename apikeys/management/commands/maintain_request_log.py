"""``manage.py maintain_request_log``: make the request log's coming partitions, and drop what is too old."""

from typing import Any

from apikeys.management.operator import OperatorCommand
from apikeys.usage.request_log import maintain_request_log


class Command(OperatorCommand):
    help = (
        "Make the partitions of the request log for the coming days, and delete requests older than "
        "REQUEST_LOG_DAYS. Run it once a day."
    )

    def handle(self, **options: Any) -> None:
        upkeep = maintain_request_log()
        self.stdout.write(
            f"Request log: {len(upkeep.made)} partitions are made, {len(upkeep.dropped)} are dropped, "
            f"{upkeep.deleted:,} rows are deleted."
        )
