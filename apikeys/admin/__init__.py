"""The admin's pages of keys and stores; importing it registers those of keys."""

from apikeys.admin import keys  # noqa: F401
