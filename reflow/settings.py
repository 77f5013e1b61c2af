"""Every setting, typed from the environment. Deny by default; nothing secret has a default."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote

from csp.constants import NONE, SELF
from django import VERSION

from reflow import env as env

BASE_DIR = Path(__file__).resolve().parent.parent

env.read_file("ENV_FILE", BASE_DIR / ".env")

DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.text(
    "SECRET_KEY",
    lambda text: DEBUG or env.is_strong_secret(text),
    "at least 50 random characters: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
)
# Former ones, still believed while people stay signed in; see `manage.py rotate_secrets`.
SECRET_KEY_FALLBACKS = env.texts(
    "SECRET_KEY_FALLBACKS",
    lambda text: DEBUG or env.is_strong_secret(text),
    "former secret keys, each of at least 50 random characters",
)
ALLOWED_HOSTS = env.texts(
    "ALLOWED_HOSTS", env.is_host, "host names such as api.shop.com", ["localhost", "127.0.0.1", "[::1]"]
)

# One switch: whether people reach the site over HTTPS. Secure cookies, redirects and HSTS follow.
HTTPS = env.boolean("HTTPS", default=True)
CSRF_TRUSTED_ORIGINS = env.texts("CSRF_TRUSTED_ORIGINS", env.is_origin, "origins such as https://shop.com")
# Where links in e-mail lead. Not where a request came in: its sender chooses that host.
SITE_URL = env.text("SITE_URL", env.is_origin, "an origin such as https://shop.com", "") or (
    f"{'https' if HTTPS else 'http'}://{ALLOWED_HOSTS[0].removeprefix('.')}"
)

INSTALLED_APPS = [
    "reflow.apps.ReflowConfig",
    "apikeys",
    "stores",
    "reflow.apps.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "reflow.server.static_files.ServedFilesConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "corsheaders",
    "csp",
    "django_filters",
    "django_guid",
    "django_htmx",
    *(["django_tasks"] if VERSION < (6,) else []),
    "django_tasks_db",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

# What adds headers comes first, and so adds them to every response, whichever layer below made it.
MIDDLEWARE = [
    "django_guid.middleware.guid_middleware",
    "reflow.observability.access_log.AccessLogMiddleware",
    "reflow.server.request_deadline.RequestDeadlineMiddleware",
    "reflow.server.https.HttpsCheckMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "reflow.server.security_headers.SecurityHeadersMiddleware",
    "reflow.observability.health_checks.HealthCheckMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "apikeys.api.middleware.ApiKeyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "reflow.server.middleware.GZipMiddleware",
    "reflow.server.middleware.ConditionalRequestMiddleware",
    "reflow.api.idempotency.IdempotencyMiddleware",
    "reflow.accounts.sessions.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "reflow.server.middleware.AuthenticationMiddleware",
    "reflow.server.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "reflow.urls"
WSGI_APPLICATION = "reflow.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            # What nearly every page uses, without {% load %}.
            "builtins": [
                "apikeys.templatetags.formats",
                "apikeys.templatetags.page",
                "django.templatetags.static",
            ],
        },
    },
]

# Database: SQLite in a file unless DATABASE_URL names another.

DATABASES = {
    "default": env.read(
        "DATABASE_URL",
        env.database,
        "postgres://user:password@host:port/name or sqlite:////path/of/a/file, with # written as %23",
        default=env.database(f"sqlite:///{quote(str(BASE_DIR / 'db.sqlite3'))}"),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Streaming replicas of that PostgreSQL, which are read from. One that is further behind is left out.
REPLICAS: list[dict[str, Any]] = env.read(
    "DATABASE_REPLICA_URL",
    lambda text: [env.database(url) for url in env.split(text)],
    "postgres://user:password@host:port/name, comma-separated, beside such a DATABASE_URL",
    check=lambda replicas: (
        DATABASES["default"] not in replicas
        and {one["ENGINE"] for one in (DATABASES["default"], *replicas)} == {env.POSTGRESQL}
    ),
    default=[],
)
DATABASES |= {f"replica{number}": replica for number, replica in enumerate(REPLICAS, start=1)}
REPLICA_MAX_LAG_SECONDS = env.integer("REPLICA_MAX_LAG_SECONDS", default=5, minimum=2)
if REPLICAS:
    DATABASE_ROUTERS = ["reflow.server.replica_router.ReplicaRouter"]
    MIDDLEWARE.append("reflow.server.replica_router.ReplicaMiddleware")
# A new connection costs more than all that a usual request asks of it.
CONN_MAX_AGE = env.integer("CONN_MAX_AGE", default=60, minimum=0)
# How long a query of a web process may take, waiting for locks included; 0: as long as it likes.
DATABASE_TIMEOUT_SECONDS = env.seconds("DATABASE_TIMEOUT_SECONDS", default=10.0)
PREPARE_THRESHOLD = env.integer("PREPARE_THRESHOLD", default=0, minimum=0)

for alias, database in DATABASES.items():
    database["CONN_MAX_AGE"] = CONN_MAX_AGE
    if database["ENGINE"] == env.SQLITE:
        database["OPTIONS"] = {
            # Readers never wait for the writer (WAL), and a writer takes its lock when it begins, so that
            # two of them queue for up to `timeout` seconds instead of failing half-way.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        }
        continue
    # A server that is away is given up on, so that the client hears of it while it still listens; so is
    # one whose machine has vanished without a word. The primary takes the place of a replica, so that sooner.
    database["OPTIONS"] = {
        "connect_timeout": 5 if alias == "default" else 2,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,  # milliseconds
    } | database.get("OPTIONS", {})
    if PREPARE_THRESHOLD:
        # The parameters of a prepared statement are sent apart. See reflow/server/database.py.
        database["OPTIONS"]["server_side_binding"] = True

# People: sign-in by e-mail and password, or by passkey; accounts are made by operators.

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{VALIDATION}.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "reflow.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "reset_password": "reflow.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "reflow.accounts.forms.ResetPasswordKeyForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
# A person has the one address on the account. allauth's own generator would copy it to a table of
# addresses, where it would go on opening the account after an operator has changed it.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
# Whoever guesses at a password locks the account for a while. Its owner gets in by the link in an e-mail.
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.integer("REAUTHENTICATION_TIMEOUT", default=60 * 60)
# Of an address (ip), of a person who has signed in (user), of whom somebody claims to be (key).
# allauth counts the codes of a second factor as log-ins that failed, too, and limits what is not named here.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip",
    "login_failed_account": "5/5m/key,20/h/key",
    "code_failed": "5/5m/user,20/h/user",
    "confirm_failed": "5/5m/user,20/h/user",
    "reset_password": "10/m/ip,3/10m/key",
    "challenge": "10/m/ip",
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
CSRF_FAILURE_VIEW = "reflow.accounts.stale_forms.csrf_failure"

MFA_ADAPTER = "reflow.accounts.second_factor.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "reflow.accounts.forms.AuthenticateForm",
    "reauthenticate": "reflow.accounts.forms.ReauthenticateForm",
    "add_webauthn": "reflow.accounts.passkeys.AddForm",
    "login_webauthn": "reflow.accounts.passkeys.SignInForm",
    "authenticate_webauthn": "reflow.accounts.passkeys.SecondFactorForm",
    "reauthenticate_webauthn": "reflow.accounts.passkeys.ReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Reflow"
# A code is also taken a step of 30 seconds before and after it is shown (RFC 6238, section 5.2).
MFA_TOTP_TOLERANCE = 1
# The addresses of accounts are entered by operators, who have verified them.
MFA_ALLOW_UNVERIFIED_EMAIL = True
ACCOUNT_SESSION_REMEMBER = True

CACHES = {
    # What sign-in counts and remembers for a while. In the database, so that all processes share it from the
    # first day, and sign-in depends on nothing that it did not depend on before: no Redis to be away.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "reflow_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    # What is the same in many pages ({% cache %}), in the memory of each process; not while it is edited.
    "template_fragments": {
        "BACKEND": f"django.core.cache.backends.{'dummy.DummyCache' if DEBUG else 'locmem.LocMemCache'}",
        "LOCATION": "template_fragments",
        "OPTIONS": {"MAX_ENTRIES": 1_000},
    },
}

# E-mail waits, and is neither sent nor printed, until EMAIL_URL names a mail server.

MAIL_SERVER: dict[str, Any] = env.read(
    "EMAIL_URL",
    env.email,
    "smtp+tls://user:password@host:port, smtp:, smtp+ssl:, consolemail: or filemail:///path/of/a/folder",
    default={},
)
vars().update(MAIL_SERVER)
EMAIL_TIMEOUT = 10
# Pauses between the attempts to send an e-mail: a day in all. The first is longer than an attempt can take
# of which the mail server answers every step just within EMAIL_TIMEOUT.
EMAIL_RETRY_PAUSES = [timedelta(minutes=minutes) for minutes in (2, 5, 15, 30, 60, 120, 240, 480, 480)]
DEFAULT_FROM_EMAIL = env.text(
    "DEFAULT_FROM_EMAIL",
    env.is_sender,
    "an e-mail address, such as Reflow <noreply@shop.com>",
    "Reflow <noreply@localhost>",
)

# What talks to the outside is a task in the database, run by `manage.py db_worker`.

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Everything is kept and shown in UTC.
TIME_ZONE = "UTC"

# Static files: hashed names, compressed once, cached forever.

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "build" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
PLAIN_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
HASHED_STORAGE = "reflow.server.static_files.HashedStaticFilesStorage"
STORAGES = {"staticfiles": {"BACKEND": PLAIN_STORAGE if DEBUG else HASHED_STORAGE}}

# The API: only keys authenticate, nothing is open unless a view's resource says so.

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apikeys.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apikeys.api.permissions.HasResourceAccess"],
    "DEFAULT_THROTTLE_CLASSES": ["reflow.api.idempotency.ReplayThrottle"],
    "DEFAULT_PAGINATION_CLASS": "reflow.api.pagination.ListPagination",
    "DEFAULT_PARSER_CLASSES": [
        "reflow.api.parsers.JSONBodyParser",
        "reflow.api.parsers.MergePatchParser",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "reflow.api.renderers.ContentNegotiation",
    "DEFAULT_METADATA_CLASS": "reflow.api.renderers.NoMetadata",
    "DEFAULT_RENDERER_CLASSES": ["reflow.api.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "reflow.api.errors.handle_exception",
    "DEFAULT_SCHEMA_CLASS": "reflow.api.schema.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Reflow API",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "JSON in, JSON out, UTF-8, from any origin. Every address also answers with a slash at its end. "
        "Amounts are integers in the smallest unit of the store's currency (ISO 4217), such as cents. "
        "Times are ISO 8601 in UTC, to the second."
    ),
    "CONTACT": {"name": "Reflow", "url": "https://reflowhq.com"},
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_REQUEST": True,
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATION_PARAMETERS": False,
    "PREPROCESSING_HOOKS": ["reflow.api.schema.leave_out_published"],
    "POSTPROCESSING_HOOKS": ["reflow.api.schema.add_components"],
}
# Any page may call the API, without cookies. The paths are those of reflow.api.addresses.
CORS_URLS_REGEX = r"^/(v1|v2|projects)(/|$)"
CORS_ALLOW_ALL_ORIGINS = True
CORS_ALLOW_METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"]
CORS_ALLOW_HEADERS = [
    "authorization",
    "baggage",
    "cache-control",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = ["reflow.api.parsers.RejectFiles"]

DJANGO_GUID = {"GUID_HEADER_NAME": "X-Request-Id", "EXPOSE_HEADER": False}

# Requests a minute: of a key, of an address without one, and keys that do not exist or are handed in by one.
RATE_LIMIT_PER_KEY = env.integer("RATE_LIMIT_PER_KEY", default=600)
RATE_LIMIT_PER_ADDRESS = env.integer("RATE_LIMIT_PER_ADDRESS", default=300)
RATE_LIMIT_FAILED_KEYS = env.integer("RATE_LIMIT_FAILED_KEYS", default=20)
RATE_LIMIT_REVOCATIONS = env.integer("RATE_LIMIT_REVOCATIONS", default=10)
# Counted in each process's memory unless a Redis or Valkey counts for all of them.
REDIS_URL = env.text(
    "REDIS_URL",
    env.is_redis_url,
    "redis://host:port/0, redis+cluster://host:port,host:port, rediss: or rediss+cluster: with TLS, "
    "or unix:///path/of/a/socket",
    "",
)

# Issuers of identity tokens that owners may trust, each with the file of the authority that signs its
# certificate where that is not a public one: https://gitlab.example.com=/etc/ssl/own-ca.pem.
OIDC_ISSUERS: dict[str, str] = dict(
    entry.partition("=")[::2]
    for entry in env.texts(
        "OIDC_ISSUERS",
        env.is_issuer,
        "https:// addresses, each with =/path/of/a/CA.pem if it needs one",
        ["https://token.actions.githubusercontent.com", "https://gitlab.com"],
    )
)

# Networks of the proxies in front, whose X-Forwarded-For is believed.
TRUSTED_PROXIES = env.texts("TRUSTED_PROXIES", ip_network, "networks such as 10.0.0.0/8")

# Seconds between two writes of the usage counters; 0 writes before each response.
USAGE_FLUSH_SECONDS = env.seconds("USAGE_FLUSH_SECONDS", default=1.0)
# Days that the daily figures of keys and stores are kept for.
USAGE_KEPT_DAYS = env.integer("USAGE_KEPT_DAYS", default=400, minimum=30)

# Which requests of keys get a row in the request log, and for how many days it is kept.
REQUEST_LOG = env.choice("REQUEST_LOG", "all", "errors", "off", default="all")
REQUEST_LOG_DAYS = env.integer("REQUEST_LOG_DAYS", default=14)

# Headers and cookies.

SECURE_SSL_REDIRECT = HTTPS
# Load balancers and Prometheus ask from inside, over plain HTTP. The API refuses it: a redirect would drop
# the body, and the key would have been read all the same.
SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$", "^(v1|v2|projects)(/|$)"]
# A week, of this host alone: browsers would keep a longer or wider one for as long, even if it was a mistake.
HSTS_SECONDS = env.integer("HSTS_SECONDS", default=7 * 24 * 60 * 60, minimum=0)
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.boolean("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.boolean("HSTS_PRELOAD", default=False)
# `check --deploy` would have both on.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Behind a proxy that ends TLS and always sets (or strips) X-Forwarded-Proto.
if env.boolean("TRUST_X_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_ENGINE = "reflow.accounts.session_backend"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
# Browsers take such a name only over HTTPS and from this very host: no neighbour can set these cookies.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Logs, and what Prometheus may read.

LOG_LEVEL = env.choice("LOG_LEVEL", "DEBUG", "INFO", "WARNING", "ERROR", default="INFO")
LOG_FORMAT = env.choice("LOG_FORMAT", "json", "text", default="text" if DEBUG else "json")
METRICS_TOKEN = env.text("METRICS_TOKEN", env.is_token, "blank, or at least 32 random letters and digits", "")

LOGGING_CONFIG = "reflow.observability.logs.configure"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "django_guid.log_filters.CorrelationId"},
        "without_unavailable": {"()": "reflow.observability.logs.WithoutUnavailable"},
        "unreadable": {"()": "reflow.observability.logs.CountUnreadableRequests"},
    },
    "formatters": {
        "json": {
            "()": "reflow.observability.logs.RedactedJsonFormatter",
            "fmt": ["levelname", "name", "correlation_id", "message"],
            "rename_fields": {
                "levelname": "level",
                "name": "logger",
                "correlation_id": "request_id",
                "exc_info": "exception",
                "stack_info": "stack",
            },
            "timestamp": "time",
        },
        "text": {
            "()": "reflow.observability.logs.RedactedTextFormatter",
            "fmt": "{asctime} {levelname} {name} [{correlation_id}] {message}",
            "style": "{",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id"],
            "formatter": LOG_FORMAT,
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Handlers of their own would not write as ours does; Django's would mail error reports, too.
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True, "filters": ["unreadable"]},
        # They have a second line for requests that were refused, or for all.
        "django.request": {"level": "ERROR", "filters": ["without_unavailable"]},
        "django.server": {"handlers": [], "propagate": True, "level": "ERROR"},
        # It has one for every request, and a warning where a client's id is of another form.
        "django_guid": {"level": "ERROR"},
    },
}
DEFAULT_EXCEPTION_REPORTER = "reflow.observability.redaction.Reporter"
