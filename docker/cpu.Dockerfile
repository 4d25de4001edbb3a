# skillweave with vLLM on CPUs. Build it from the root of the repository:
#
#   docker build -f docker/cpu.Dockerfile -t skillweave:cpu .
#
# The steps are those of `make setup`. A site with mirrors sets PYTHON_IMAGE and PIP_EXTRA_INDEX_URL;
# with PyTorch's CPU index (README.md) the image is several GB smaller.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv /opt/skillweave
ENV PATH=/opt/skillweave/bin:${PATH}
RUN pip install torch==2.13.0
COPY requirements/cpu.lock requirements/cpu.lock
RUN pip install --no-deps -r requirements/cpu.lock
COPY pyproject.toml README.md LICENSE ./
COPY adapters adapters
COPY router router
COPY distill distill
COPY server server
COPY scripts scripts
RUN pip install --no-deps . && python -m skillweave.scripts.check_install

FROM ${PYTHON_IMAGE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libnuma1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home --home-dir /home/skillweave skillweave \
 && install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/skillweave /opt/skillweave
ENV PATH=/opt/skillweave/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    SKILLWEAVE_HOME=/data \
    HOME=/tmp/home \
    XDG_CACHE_HOME=/tmp/cache
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=5m --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/ready', timeout=5)"]
ENTRYPOINT ["skillweave"]
CMD ["serve", "--config", "/etc/skillweave/serve.toml"]
