from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ReflowConfig(AppConfig):
    name = "reflow"

    def ready(self) -> None:
        from django.contrib.auth.models import User
        from django.db.models.signals import pre_save

        from reflow.accounts.email_addresses import normalize_email_of

        pre_save.connect(normalize_email_of, sender=User)


class OperatorAdminConfig(AdminConfig):
    # https://docs.djangoproject.com/en/5.2/ref/contrib/admin/#overriding-the-default-admin-site
    default_site = "reflow.admin_site.OperatorSite"
