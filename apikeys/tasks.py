"""Background tasks: Django's own from Django 6 on, their backport before."""

from importlib.util import find_spec

if find_spec("django.tasks"):
    from django.tasks import task
else:
    from django_tasks import task  # type: ignore[import-not-found, no-redef, unused-ignore]

__all__ = ["task"]
