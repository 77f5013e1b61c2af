from django.urls import path, re_path

from apikeys.settings_page import (
    activity,
    key_clicks,
    key_views,
    list_views,
    requests,
    selected_views,
    trusts,
)
from apikeys.settings_page.notifications import notifications

app_name = "apikeys"

KEY = r"^(?P<prefix>[0-9a-f]{7})/"

urlpatterns = [
    path("", list_views.show_list, name="list"),
    path("find/", list_views.find, name="find"),
    path("new/", list_views.new_key, name="new"),
    path("created/", list_views.created, name="created"),
    path("canaries/new/", key_views.new_canary, name="new_canary"),
    path("notifications/", notifications, name="notifications"),
    *(
        path(f"selected/{name}/", selected_views.change_selected, {"name": name}, name=f"{name}_selected")
        for name in selected_views.ACTIONS
    ),
    path("requests/", requests.show_requests, name="requests"),
    path("requests.csv", requests.requests_csv, name="requests_csv"),
    path("requests/<int:pk>/", requests.request_detail, name="request"),
    path("activity/", activity.show_activity, name="activity"),
    path("activity.csv", activity.activity_csv, name="activity_csv"),
    path("usage.csv", requests.usage_csv, name="usage_csv"),
    path("trusts/", trusts.show_trusts, name="trusts"),
    path("trusts/new/", trusts.change_trust, name="new_trust"),
    path("trusts/<int:pk>/", trusts.show_trust, name="trust"),
    path("trusts/<int:pk>/edit/", trusts.change_trust, name="edit_trust"),
    path("trusts/<int:pk>/pause/", trusts.pause_trust, name="pause_trust"),
    path("trusts/<int:pk>/delete/", trusts.delete_trust, name="delete_trust"),
    re_path(rf"{KEY}$", key_views.key_detail, name="detail"),
    re_path(rf"{KEY}first-request/$", key_views.first_request, name="first_request"),
    re_path(rf"{KEY}edit/$", key_views.edit_key, name="edit"),
    re_path(rf"{KEY}access/$", key_clicks.set_access, name="access"),
    re_path(rf"{KEY}fence/$", key_clicks.fence, name="fence"),
    re_path(rf"{KEY}end-old/$", key_clicks.end_old_key, name="end_old"),
    re_path(rf"{KEY}incident/$", key_views.show_incident, name="incident"),
    re_path(rf"{KEY}rhythm/$", key_clicks.watch_rhythm, name="rhythm"),
    re_path(rf"{KEY}rehearse/$", key_views.rehearse_edit, name="rehearse"),
    re_path(rf"{KEY}requests/$", requests.key_requests, name="key_requests"),
    re_path(rf"{KEY}callers/$", requests.show_callers, name="callers"),
    re_path(rf"{KEY}refusals/$", key_clicks.leave_refusal, name="refusals"),
    re_path(rf"{KEY}deactivate/$", key_views.deactivate_key, name="deactivate"),
    re_path(rf"{KEY}reactivate/$", key_views.reactivate_key, name="reactivate"),
    re_path(rf"{KEY}roll/$", key_views.roll_key, name="roll"),
    re_path(rf"{KEY}delete/$", key_views.delete_key, name="delete"),
]
