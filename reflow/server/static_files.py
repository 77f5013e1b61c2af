"""Names and storage of the pages' own files."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class ServedFilesConfig(StaticFilesConfig):
    """Leaves out what packages bring for pages that are not served: most of the megabytes to be hashed."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        *("redoc", "rest_framework", "htmax-*", "htmx-4*", "htmx-2-compat-*", "hx-*"),
    ]


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Names every file by its content, those that a script imports included, for caches to keep."""

    support_js_module_import_aggregation = True
