"""How the pages' own files are named and kept."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Names every file by its content, those that a script imports included, so that all keep for ever."""

    support_js_module_import_aggregation = True
