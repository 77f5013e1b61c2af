"""The admin's pages of keys and suspensions; importing it registers them."""

from apikeys.admin import keys, stores  # noqa: F401
