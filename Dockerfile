# One image for every process: `docker run sangkroh registry-api`, `… migrate`, and so on.

# The Python that the tests run on. requirements.lock resolves for newer ones too.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
RUN python -m venv --without-pip /opt/venv
WORKDIR /build
COPY requirements.lock ./
RUN pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: -r requirements.lock
COPY judge /srv/sangkroh/judge
COPY services /srv/sangkroh/services
COPY shared /srv/sangkroh/shared
# The containers' root is read-only: bytecode that is not written here is never written.
RUN /opt/venv/bin/python -m compileall -q /srv/sangkroh

# The provider sandbox, for `docker compose --profile development` alone. It judges the product
# with tools that the product does not have, hence the other lock file.
FROM python:${PYTHON}-slim AS sandbox
WORKDIR /srv/sangkroh
COPY requirements-dev.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements-dev.lock
COPY sandbox sandbox
# New volumes take their owner from the folders that they are mounted over.
RUN install --directory --owner=10001 --group=10001 --mode=0770 /bank/outgoing /bank/incoming
ENV PYTHONUNBUFFERED=1
USER 10001:10001
ENTRYPOINT ["python", "-m", "sandbox"]

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="Sangkroh" \
    org.opencontainers.image.version="0.2.0" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/sangkroh /srv/sangkroh
# For a bank that takes files. New volumes take their owner from the folders that they are mounted
# over; without volumes the root is read-only here as well.
RUN install --directory --owner=10001 --group=10001 --mode=0770 \
    /bank/outgoing /bank/incoming /bank/state
WORKDIR /srv/sangkroh
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
ENTRYPOINT ["python", "-m", "services"]
