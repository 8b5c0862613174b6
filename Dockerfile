# syntax=docker/dockerfile:1
# meshcheck as a container: for pipelines, and for the Job, CronJob and Deployment of charts/meshcheck.
# Nothing is written to the file system: run it with --read-only; the user has no name, no home and no shell.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY meshcheck ./meshcheck
RUN python -m venv /opt/meshcheck \
 && /opt/meshcheck/bin/pip install --no-cache-dir --disable-pip-version-check '.[cluster]' \
 && /opt/meshcheck/bin/pip uninstall --yes --quiet pip \
 && /opt/meshcheck/bin/python -m compileall -q /opt/meshcheck/lib \
 && /opt/meshcheck/bin/meshcheck --version

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="meshcheck" \
      org.opencontainers.image.description="Why does this call get a 403, and what change would let it through?" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/meshcheck /opt/meshcheck
ENV PATH=/opt/meshcheck/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["meshcheck"]
CMD ["--help"]
