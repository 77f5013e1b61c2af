"""The addresses that are the API's, whatever becomes of a request for them."""

PREFIX = "/v1/"
# The API's own prefix, and those of the published clients and of the product's former API.
PREFIXES = (PREFIX, "/v2/", "/projects/")


def is_api_path(path: str) -> bool:
    """Return whether a request for this path gets JSON."""
    return f"{path}/".startswith(PREFIXES)
