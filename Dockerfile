# One image for every part; docker-compose.yml says which part a container is.
#
# EXTRAS is what the workers need: "voice" (torch and the voice that comes with the code), "worker,voice" for a GPU,
# or "preview" (the preview voice, without torch). The gateway needs none of it, and imports none.
#
# PIP_EXTRA_INDEX_URL is where pip looks beside PyPI, whose torch has gigabytes of CUDA.

FROM python:3.11.13-slim AS packages
ARG EXTRAS=voice
ARG PIP_EXTRA_INDEX_URL
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app
# What we depend on, without our own code: this layer stays while pyproject.toml does.
COPY pyproject.toml constraints.txt LICENSE NOTICE README.md ./
RUN mkdir platform && pip install --no-cache-dir -c constraints.txt ".[${EXTRAS}]"

FROM python:3.11.13-slim
ARG EXTRAS=voice
# On a GPU Triton builds what launches its kernels when it first runs.
RUN case "$EXTRAS" in *worker*) apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/* ;; esac
RUN useradd --system --uid 10001 --no-create-home speech \
    && install --directory --owner speech --group speech --mode 700 /var/lib/speech
COPY --from=packages /venv /venv
COPY . /app
WORKDIR /app
# `platform` is a source root; the standard library's module of that name still comes first.
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app/platform:/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    VAR_DIR=/var/lib/speech \
    TRITON_CACHE_DIR=/var/lib/speech/triton \
    NUMBA_CACHE_DIR=/var/lib/speech/numba \
    HOST=0.0.0.0
USER speech
EXPOSE 8000
CMD ["python", "manage.py", "gateway"]
