from django.apps import AppConfig
from django.conf import settings


class ApiKeysConfig(AppConfig):
    name = "apikeys"
    verbose_name = "API keys"

    def ready(self) -> None:
        from apikeys.api import checks, rate_limits  # noqa: F401  # register themselves
        from apikeys.usage import writer  # noqa: F401

        if settings.REDIS_URL:
            # What it imports is not ready for requests that come in while one of them imports it.
            rate_limits.storage()
