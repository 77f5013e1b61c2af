"""What operators see of keys and stores; importing it registers the pages of keys."""

from apikeys.admin import keys  # noqa: F401
