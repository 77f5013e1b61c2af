from django.apps import AppConfig


class ReflowConfig(AppConfig):
    name = "reflow"

    def ready(self) -> None:
        # It registers itself.
        from reflow.server import checks  # noqa: F401
