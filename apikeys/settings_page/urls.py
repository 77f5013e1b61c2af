from django.urls import path, re_path

from apikeys.settings_page import views
from apikeys.settings_page.notifications import notifications

app_name = "apikeys"

KEY = r"^(?P<prefix>[0-9a-f]{7})/"

urlpatterns = [
    path("", views.key_list, name="list"),
    path("find/", views.find, name="find"),
    path("new/", views.new_key, name="new"),
    path("created/", views.created, name="created"),
    path("notifications/", notifications, name="notifications"),
    re_path(rf"{KEY}$", views.key_detail, name="detail"),
    re_path(rf"{KEY}first-request/$", views.first_request, name="first_request"),
    re_path(rf"{KEY}edit/$", views.edit_key, name="edit"),
    re_path(rf"{KEY}access/$", views.set_access, name="access"),
    re_path(rf"{KEY}deactivate/$", views.deactivate_key, name="deactivate"),
    re_path(rf"{KEY}reactivate/$", views.reactivate_key, name="reactivate"),
    re_path(rf"{KEY}roll/$", views.roll_key, name="roll"),
    re_path(rf"{KEY}delete/$", views.delete_key, name="delete"),
]
