# skillweave with vLLM on NVIDIA GPUs. Build it from the root of the repository:
#
#   docker build -f docker/gpu.Dockerfile -t skillweave:gpu .
#
# CUDA's libraries come with the Python packages, the driver's from NVIDIA's container runtime. A C
# compiler stays in the image: vLLM compiles kernels when it starts.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv /opt/skillweave
ENV PATH=/opt/skillweave/bin:${PATH}
COPY pyproject.toml README.md LICENSE ./
COPY adapters adapters
COPY router router
COPY distill distill
COPY server server
COPY scripts scripts
RUN pip install '.[gpu]'

FROM ${PYTHON_IMAGE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev libnuma1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home --home-dir /home/skillweave skillweave \
 && install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/skillweave /opt/skillweave
ENV PATH=/opt/skillweave/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    SKILLWEAVE_HOME=/data \
    HOME=/tmp/home \
    XDG_CACHE_HOME=/tmp/cache \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=15m --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/ready', timeout=5)"]
ENTRYPOINT ["skillweave"]
CMD ["serve", "--config", "/etc/skillweave/serve.toml"]
