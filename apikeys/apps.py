from django.apps import AppConfig


class ApiKeysConfig(AppConfig):
    name = "apikeys"
    verbose_name = "API keys"

    def ready(self) -> None:
        # They register themselves, and need models, which are not there before.
        from apikeys.api import checks  # noqa: F401
        from apikeys.api.counters import make_counters
        from apikeys.api.rate_limits import RateLimiter
        from apikeys.oidc import KeySets
        from apikeys.usage import writer  # noqa: F401

        self.rate_limiter = RateLimiter(make_counters())
        self.key_sets = KeySets()
