"""Django's settings, made from `config.environment`; nothing else reads the environment."""

from __future__ import annotations

import sys
from typing import Any

from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

from config import mail, secret_store, sign_in, voice
from config.environment import ROOT, Environment
from config.unfold import UNFOLD as UNFOLD  # the admin's colours and sidebar
from launch import embedded

try:
    ENVIRONMENT = Environment()
except ValidationError as error:
    problems = "\n".join(
        f"  {'.'.join(map(str, e['loc'])).upper() or 'ENVIRONMENT'}: {e['msg']}" for e in error.errors()
    )
    sys.exit(f"The environment is not valid (see .env.example):\n{problems}")

VAR_DIR = ENVIRONMENT.var_dir
DATABASE_URL = ENVIRONMENT.database_url or embedded.postgres_url(VAR_DIR)
WEB_DATABASE_URL = ENVIRONMENT.web_database_url or (
    DATABASE_URL if ENVIRONMENT.database_url else embedded.postgres_url(VAR_DIR, role=embedded.WEB_ROLE)
)
REDIS_URL = ENVIRONMENT.redis_url or embedded.valkey_url(VAR_DIR)

DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = ENVIRONMENT.hosts
if ENVIRONMENT.secret_key and ENVIRONMENT.api_key_peppers:
    SECRET_KEY = ENVIRONMENT.secret_key.get_secret_value()
    API_KEY_PEPPERS = ENVIRONMENT.api_key_peppers
else:
    # A keyless part has some of its own, which nobody else believes.
    _secrets = secret_store.made_up() if ENVIRONMENT.keyless else secret_store.load_or_create(VAR_DIR)
    SECRET_KEY, API_KEY_PEPPERS = _secrets.secret_key, _secrets.api_key_peppers

INSTALLED_APPS = [
    "operations",  # before unfold, whose index page it has its own of
    "unfold.apps.BasicAppConfig",
    "operations.apps.AdminSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "config",
    "launch",
    "accounts",
    "webhooks",
    "inference",
    "billing",
    "usage",
    "gateway",
    "console",
    "status",
    "allauth",  # after the console, whose templates dress its pages
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "console.middleware.PublicOrigin",
    "console.middleware.StaticFiles",
    "console.middleware.ContentSecurityPolicy",
    "console.middleware.WholePages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "console.middleware.GuessLimits",
    "console.sessions.Sessions",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    """Django's form of a libpq URL; what Django has no name for goes to the driver as it is."""
    parameters: dict[str, Any] = dict(conninfo_to_dict(url))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parameters.pop("dbname", "speech"),
        "USER": parameters.pop("user", ""),
        "PASSWORD": parameters.pop("password", ""),
        "HOST": parameters.pop("host", ""),
        "PORT": parameters.pop("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # Behind PgBouncer a cursor would outlive its transaction, and with it its server connection.
        "DISABLE_SERVER_SIDE_CURSORS": ENVIRONMENT.pgbouncer,
        "OPTIONS": parameters,
    }


DATABASES = {"default": _database(DATABASE_URL)}
# After so many executions the gateway prepares a statement. Behind PgBouncer the next one may reach another server
# connection, which does not know it. Django prepares none.
DATABASE_PREPARE_THRESHOLD = None if ENVIRONMENT.pgbouncer else 5
# What the gateway's pages connect as; a role of their own may be allowed fewer connections, and less.
WEB_DATABASE = _database(WEB_DATABASE_URL)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

STORAGES = {
    "audio": {
        "BACKEND": "inference.audio_files.AudioFiles",
        "OPTIONS": {
            "location": VAR_DIR / "audio",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "files": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": VAR_DIR / "files",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # files are served from the packages: there is no step that collects them
# What sign-in counts against guessing, which must be there when Redis is not. Nothing else is cached in it.
CACHES = {"default": {"BACKEND": "accounts.guesses.GuessCache"}}

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.secure
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_IDLE_SECONDS = 7 * 86_400
SESSION_COOKIE_AGE = 30 * 86_400  # its end, whatever is done with it
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.public_url] if ENVIRONMENT.public_url else []
CSRF_FAILURE_VIEW = "console.views.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
# Where people reach us by https, nobody shall reach us otherwise (see gateway.recorder, which knows the scheme).
HTTPS = (ENVIRONMENT.public_url or "").startswith("https://")
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# E-mail. Where there is no server, e-mails are printed to the log; in production none are printed.
if ENVIRONMENT.email_url:
    globals().update(mail.parse_url(ENVIRONMENT.email_url.get_secret_value()))
else:
    EMAIL_BACKEND = (
        "config.mail.LogBackend" if ENVIRONMENT.embedded else "django.core.mail.backends.dummy.EmailBackend"
    )
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.email_from

# People sign in by e-mail address and password, a second factor or a passkey (django-allauth).
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 10}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "console"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "console.signup.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "console.signup.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_ENABLED = True  # the way in for the owner of an account that others locked
ACCOUNT_RATE_LIMITS = {
    # An account's passwords and codes. A success clears it, so what counts an address stands apart.
    "login_failed": "5/300s/key,20/d/key",
    "guess": "60/m/ip,600/h/ip",
    "guess_site": "240/m/key,2400/h/key",
    "reset_password": "20/m/ip,5/m/key",
    "locked_letter": "1/h/key",
    "promotion": "5/h/key",
    "invitation": "30/h/ip",
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if ENVIRONMENT.secure else "http"
SOCIALACCOUNT_PROVIDERS = sign_in.providers(ENVIRONMENT)
SIGN_IN_ORIGINS = sign_in.origins(ENVIRONMENT)
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
SOCIALACCOUNT_ADAPTER = "console.signup.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "mandatory"
SOCIALACCOUNT_QUERY_EMAIL = True
# An account of elsewhere opens ours only once it was connected from within: an address alone proves nothing.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Speech"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENVIRONMENT.secure

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": ENVIRONMENT.log_level},
    # Every request is a row of the request log already, and the clock would tell of each task, every five seconds.
    "loggers": {name: {"level": "WARNING"} for name in ("celery.app.trace", "celery.worker.strategy", "httpx")}
    | {"celery.beat": {"level": "WARNING"}}
    # It logs what it sends.
    | {"stripe": {"level": "WARNING"}}
    | {"gateway.door.server": {"level": "ERROR"}}  # malformed requests are counted, not told
    | {"django.request": {"level": "ERROR"}, "psycopg": {"level": "ERROR"}}
    | {"django.security.DisallowedHost": {"level": "CRITICAL"}},  # whoever scans the net sends such
}

# Celery: only a job's id travels, and recovery is by our own lease, so results and long redelivery are off.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # a Redis that is full refuses what a consumer notes of its messages
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "purge-guesses": {"task": "accounts.tasks.purge_guesses", "schedule": 300.0},
    "purge-expired-audio": {"task": "inference.tasks.purge_expired_audio", "schedule": 60.0},
    "purge-old-jobs": {"task": "inference.tasks.purge_old_jobs", "schedule": 3600.0},
    "expire-overdue-holds": {"task": "billing.tasks.expire_overdue", "schedule": 30.0},
    "expire-grants": {"task": "billing.tasks.expire_grants", "schedule": 3600.0},
    "fire-alerts": {"task": "billing.tasks.fire_alerts", "schedule": 30.0},
    "deliver-events": {"task": "webhooks.tasks.deliver", "schedule": 10.0},
    "purge-deliveries": {"task": "webhooks.tasks.purge", "schedule": 86_400.0},
    "make-usage-partitions": {"task": "billing.tasks.make_partitions", "schedule": 3600.0},
    "close-months": {"task": "billing.tasks.close_months", "schedule": 3600.0},
    "remind-of-overdue-invoices": {"task": "billing.tasks.remind_of_overdue", "schedule": 86_400.0},
    "advance-batches": {"task": "gateway.tasks.advance_batches", "schedule": 5.0, "options": {"expires": 5.0}},
    "forget-old-batches": {"task": "gateway.tasks.forget_old_batches", "schedule": 86_400.0},
    "purge-files": {"task": "gateway.tasks.purge_files", "schedule": 300.0},
    "verify-ledger": {"task": "billing.tasks.verify_ledger", "schedule": 3600.0},
    "refresh-rollups": {"task": "usage.tasks.refresh_rollups", "schedule": 60.0},
    "turn-request-log": {"task": "usage.tasks.turn_request_log", "schedule": 3600.0},
}

# Webhooks go to this machine and its private networks, and by http, only where the operator says so.
ALERTS_PRIVATE_TARGETS = ENVIRONMENT.alerts_private_targets

# Stripe. Without a key there is none of it: no task runs, no address answers.
STRIPE_SECRET_KEY = ENVIRONMENT.stripe_secret_key.get_secret_value() if ENVIRONMENT.stripe_secret_key else ""
STRIPE_WEBHOOK_SECRET = (
    ENVIRONMENT.stripe_webhook_secret.get_secret_value() if ENVIRONMENT.stripe_webhook_secret else ""
)
STRIPE_API_BASE = ENVIRONMENT.stripe_api_base
STRIPE_TAX = ENVIRONMENT.stripe_tax
STRIPE_METER_EVENT = ENVIRONMENT.stripe_meter_event or ""
if STRIPE_SECRET_KEY:
    CELERY_BEAT_SCHEDULE |= {
        "send-stripe-calls": {"task": "billing.tasks.send_stripe_calls", "schedule": 10.0},
        "process-stripe-events": {"task": "billing.tasks.process_stripe_events", "schedule": 10.0},
        "show-at-stripe": {"task": "billing.tasks.show_at_stripe", "schedule": 60.0},
        "recharge-accounts": {"task": "billing.tasks.recharge_accounts", "schedule": 60.0},
        "report-to-stripe-meter": {"task": "billing.tasks.report_to_stripe_meter", "schedule": 900.0},
        "reconcile-stripe": {"task": "billing.tasks.reconcile_stripe", "schedule": 86_400.0},
    }

# The management API. The gateway has authenticated the caller; `?format=` is a parameter of ours.
REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "gateway.rest.answer_error",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}

# Who writes the invoices.
COMPANY_NAME = ENVIRONMENT.company_name
COMPANY_ADDRESS = ENVIRONMENT.company_address
COMPANY_TAX_IDS = ENVIRONMENT.company_tax_ids
COMPANY_EMAIL = ENVIRONMENT.company_email
COMPANY_PAYMENT = ENVIRONMENT.company_payment
COMPANY_LOGO = ENVIRONMENT.company_logo

ENGINE, _checkpoint = voice.choose(ENVIRONMENT.engine, ENVIRONMENT.higgs_checkpoint)
HIGGS = {
    "checkpoint": _checkpoint,
    "device": ENVIRONMENT.higgs_device,
    "dtype": ENVIRONMENT.higgs_dtype,
    "threads": ENVIRONMENT.higgs_threads,
    "slots": ENVIRONMENT.higgs_slots,
    "context": ENVIRONMENT.higgs_context,
    "prefill_tokens": ENVIRONMENT.higgs_prefill_tokens,
    "pace_seconds": ENVIRONMENT.higgs_pace_seconds,
    "voices": ENVIRONMENT.higgs_voices,
}
JOB_LEASE_SECONDS = ENVIRONMENT.job_lease_seconds
WORKER_GRACE_SECONDS = ENVIRONMENT.worker_grace_seconds
AUDIO_TTL_SECONDS = ENVIRONMENT.audio_ttl_seconds
JOB_DAYS = ENVIRONMENT.job_days
REQUEST_DEADLINE_SECONDS = ENVIRONMENT.request_deadline_seconds
OPERATOR_CEILING_DOLLARS = ENVIRONMENT.operator_ceiling_dollars
PROXIES = ENVIRONMENT.proxies
TRUSTED_PROXIES = tuple(ENVIRONMENT.trusted_proxies)
PROJECT_ROOT = ROOT
