"""The parts of the OpenAPI schema that are written as JSON.

Those that operations share: the key, the error, headers and parameters; and examples of bodies, from the
demo's store, which a test holds to the schema.
"""

import json
from pathlib import Path
from typing import Any

SCHEME = "ApiKey"
COMPONENTS: dict[str, Any] = json.loads(Path(__file__).with_name("components.json").read_text("utf-8"))
# A body for each component, by its name; of a page or an array, one object.
EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text("utf-8"))
