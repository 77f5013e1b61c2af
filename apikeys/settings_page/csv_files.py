"""CSV files of any length: sent row by row, and safe to open in a spreadsheet program."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import StringIO
from itertools import islice
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
    chunks = read_chunks(lock, head, rows)
    # From here on its end lets the next download begin, also where nobody reads it.
    next(chunks)
    response = StreamingHttpResponse(chunks, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{store.pk}.csv"'
    return response


def log_csv(
    request: HttpRequest, store: Store, name: str, filters: LogFilters, head: Sequence[str]
) -> HttpResponseBase:
    """Return a download of a log's newest MAX_ROWS that the filters find; 400 with what is wrong in them."""
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


def read_chunks(lock: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield nothing, then the text of a file in parts; at the end let go of what csv_response() has taken."""
    try:
        yield ""
        yield f"{BYTE_ORDER_MARK}{csv_text([head])}"
        rest = iter(rows)
        while part := csv_text(islice(rest, ROWS_PER_CHUNK)):
            cache.touch(lock, LOCK_SECONDS)
            yield part
    finally:
        cache.delete(lock)
        downloads.release()


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: Any) -> Any:
    """Return a value as a cell: a time in ISO 8601, a text that no program runs, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return FORMULA.sub(r"\1\2'", value)
    return value
