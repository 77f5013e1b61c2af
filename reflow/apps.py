from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

if TYPE_CHECKING:
    from reflow.server.replicas import Replicas
    from reflow.server.request_deadline import Deadlines


class ReflowConfig(AppConfig):
    name = "reflow"

    deadlines: "Deadlines"
    replicas: "Replicas"

    def ready(self) -> None:
        from django.contrib.auth.models import User
        from django.db import DEFAULT_DB_ALIAS, connections
        from django.db.models.signals import pre_save

        from reflow.accounts.email_addresses import normalize_email_of
        from reflow.server.replicas import Replicas
        from reflow.server.request_deadline import Deadlines

        self.deadlines = Deadlines()
        self.replicas = Replicas([alias for alias in connections if alias != DEFAULT_DB_ALIAS])
        pre_save.connect(normalize_email_of, sender=User)


class OperatorAdminConfig(AdminConfig):
    # https://docs.djangoproject.com/en/5.2/ref/contrib/admin/#overriding-the-default-admin-site
    default_site = "reflow.admin_site.OperatorSite"
