# Two images: `serving`, the last and so the default, and `setup` (`--target setup`), which `provision` needs.
# All stages share one base: the virtual environment links to the interpreter that made it.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /app
COPY deploy/requirements.txt /tmp/requirements.txt
# Wheels only: a source package would run its own code here, and need a compiler.
RUN python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --no-deps --only-binary :all: \
        --require-hashes --requirement /tmp/requirements.txt
COPY LICENSE ./
COPY sidecar sidecar
# The root may be read-only when it runs, so bytecode is written now.
RUN python -m compileall -q sidecar

FROM build AS build-setup
COPY deploy/requirements-setup.txt /tmp/requirements-setup.txt
RUN python -m pip --python /venv/bin/python install --no-deps --only-binary :all: \
        --require-hashes --requirement /tmp/requirements-setup.txt

FROM ${PYTHON_IMAGE} AS base
LABEL org.opencontainers.image.title="directus-stripe-sidecar" \
      org.opencontainers.image.description="Stripe for the front ends of a Directus project: Directus decides, the key stays here" \
      org.opencontainers.image.licenses="MIT"
# Nothing is installed from here on, and pip brings HTTP clients of its own, also inside ensurepip.
RUN python -m pip uninstall --quiet --yes --root-user-action ignore pip \
    && rm -rf /usr/local/lib/python3.*/ensurepip
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
# A number, so that Kubernetes can tell it is not root.
USER 65532:65532
# Exec form: the process gets SIGTERM itself and drains.
ENTRYPOINT ["python", "-m", "sidecar"]

# Gets an administrator's token and never the Stripe key, so directus-sdk-py and what that brings may stand here.
FROM base AS setup
COPY --from=build-setup /venv /venv
COPY --from=build-setup /app /app
CMD ["provision"]

FROM base AS serving
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV SIDECAR_HOST=0.0.0.0
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('SIDECAR_PORT', 8080)), timeout=2); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
