"""The load generator, wrk: the one on the PATH, or as root on Debian the distribution's, installed."""

import re
import subprocess
import sys
from dataclasses import dataclass

from tests import programs

SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True)
class Load:
    """Figures of a server under load: requests a second, and seconds that half and 99 of 100 stayed below."""

    throughput: float
    p50: float
    p99: float


def program() -> str:
    """Return the path of wrk. Raises Unavailable."""
    return programs.get("wrk", package="wrk")


def put_on(url: str, authorization: str, *, connections: int, seconds: int) -> Load:
    """Ask for an address over so many connections at once, and say so where not all answers are 2xx."""
    command = [program(), "--latency", "--timeout", "30s", "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["-H", f"Authorization: {authorization}", url]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in re.findall(r"^.*(?:Non-2xx|Socket errors).*$", printed, re.MULTILINE):
        print(f"{url}:{line}", file=sys.stderr)
    throughput = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    assert throughput, printed
    return Load(float(throughput[1]), percentile("50", printed), percentile("99", printed))


def percentile(which: str, printed: str) -> float:
    """A line such as ``99%    3.27ms`` of wrk's report, in seconds."""
    found = re.search(rf"^\s*{which}%\s+([\d.]+)(us|ms|s|m)\s*$", printed, re.MULTILINE)
    assert found, printed
    return float(found[1]) * SECONDS[found[2]]
