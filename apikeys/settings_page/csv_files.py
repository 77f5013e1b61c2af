"""CSV files of any length: sent row by row, and safe to open in a spreadsheet program."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from threading import BoundedSemaphore
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from apikeys.settings_page.log_search import LogFilters
from stores.models import Store

# What a spreadsheet program takes for a formula, which can send away what is in other cells: at the beginning
# of a text, and after whatever separates cells where the program lives.
FORMULA = re.compile(r"(^|[,;|\t\r\n])([ \"']*)(?=[=+\-@＝＋－＠])")
# By it a spreadsheet program knows that the file is UTF-8.
BYTE_ORDER_MARK = "\ufeff"
# A download keeps one of the server's threads busy for as long as it takes; a process has three at least.
MAX_DOWNLOADS = 2
ROWS_PER_CHUNK = 500
# A download whose process was killed keeps the next one waiting for so long.
LOCK_SECONDS = 60
RETRY_SECONDS = 10
MAX_ROWS = 1_000_000
# What columns are called in logs, where that is otherwise.
ATTRIBUTES = {"time": "at", "key": "prefix", "what": "sentence", "by": "actor_name"}

downloads = BoundedSemaphore(MAX_DOWNLOADS)


class Echo:
    """A file whose ``write`` returns what it is given, for ``csv.writer``."""

    def write(self, text: str) -> str:
        return text


class Download:
    """The lines of a file in chunks of text; ``close`` lets the next download begin."""

    def __init__(self, lock: str, lines: Iterator[str]) -> None:
        self.lock = lock
        self.chunks = self.read(lines)
        self.is_open = True

    def read(self, lines: Iterator[str]) -> Iterator[str]:
        chunk: list[str] = []
        for line in lines:
            chunk.append(line)
            if len(chunk) == ROWS_PER_CHUNK:
                cache.touch(self.lock, LOCK_SECONDS)
                yield "".join(chunk)
                chunk.clear()
        yield "".join(chunk)

    def __iter__(self) -> Iterator[str]:
        return self.chunks

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            cache.delete(self.lock)
            downloads.release()


def csv_response(
    request: HttpRequest, store: Store, name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]
) -> HttpResponse | StreamingHttpResponse:
    """Return a download of rows, which are read as they are sent; 429 while the store has another one."""
    lock = f"csv-download-{store.pk}"
    if not downloads.acquire(blocking=False):
        return refuse_download(request)
    if not cache.add(lock, 1, LOCK_SECONDS):
        downloads.release()
        return refuse_download(request)
    response = StreamingHttpResponse(
        Download(lock, csv_lines(head, rows)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}-{store.pk}.csv"'
    return response


def log_csv(
    request: HttpRequest, store: Store, name: str, filters: LogFilters, head: Sequence[str]
) -> HttpResponseBase:
    """Return a download of the rows of a log that the filters find, the newest MAX_ROWS of them.

    400 with what is wrong with each filter: a file without rows would look like an answer.
    """
    if not filters.is_valid():
        lines = [f"{field}: {' '.join(map(str, errors))}" for field, errors in filters.errors.items()]
        return HttpResponseBadRequest("\n".join(lines), content_type="text/plain; charset=utf-8")
    read = attrgetter(*(ATTRIBUTES.get(column, column) for column in head))
    return csv_response(
        request, store, name, head, map(read, filters.search(store).all_rows(at_most=MAX_ROWS))
    )


def refuse_download(request: HttpRequest) -> HttpResponse:
    response = render(request, "apikeys/busy.html", status=429)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(Echo(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK + writer.writerow(head)
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: Any) -> Any:
    """Return a value as a cell: a time in ISO 8601, a text that no program runs, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return FORMULA.sub(r"\1\2'", value)
    return value
