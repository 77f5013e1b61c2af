"""Examples of bodies in the OpenAPI schema, from the demo's store. A test holds them to the schema."""

import json
from pathlib import Path
from typing import Any

LISTS = "https://api.reflowhq.com/v1/stores/267418190"

# A body for each component, by its name; of a page or an array, one object.
EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text("utf-8"))


def add_examples(paths: dict[str, Any]) -> None:
    """Add to each operation an example of every JSON body."""
    for path, operations in paths.items():
        for operation in operations.values():
            successes = [body for status, body in operation["responses"].items() if status.startswith("2")]
            for body in [operation.get("requestBody", {}), *successes]:
                for media in body.get("content", {}).values():
                    media["example"] = example_of(media["schema"], path)


def example_of(schema: dict[str, Any], path: str) -> Any:
    """Return the example of an object, of an array of them, or of a page of them."""
    if schema.get("type") == "array":
        return [example_of(schema["items"], path)]
    name = schema["$ref"].rpartition("/")[2]
    if name in EXAMPLES:
        return EXAMPLES[name]
    address = f"{LISTS}/{path.rpartition('/')[2]}?page="
    return {
        "data": [EXAMPLES[name.removeprefix("Paginated").removesuffix("List")]],
        "links": {"first": f"{address}1", "last": f"{address}9", "prev": None, "next": f"{address}2"},
        "meta": {"current_page": 1, "from": 1, "to": 1, "per_page": 1, "last_page": 9, "total": 9},
    }
