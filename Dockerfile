# The bot as an image:   docker build -t oneiro .
# With PostgreSQL:       docker compose up -d
FROM python:3.12-slim AS build
WORKDIR /src
# Before all else: where it was broken off, the build for CUDA would come with the rest.
RUN python -m venv /opt/oneiro \
 && /opt/oneiro/bin/pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch==2.13.0
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE ./
COPY bot bot
COPY engine engine
RUN /opt/oneiro/bin/pip install --no-cache-dir '.[postgres,objects]'

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 oneiro && install -d -o oneiro -g oneiro /data
COPY --from=build /opt/oneiro /opt/oneiro
ENV PATH=/opt/oneiro/bin:$PATH PYTHONUNBUFFERED=1 \
    DATA_DIR=/data STATUS_LISTEN=127.0.0.1:8091 WALL_LISTEN=0.0.0.0:8090
USER oneiro
WORKDIR /home/oneiro
VOLUME /data
EXPOSE 8090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8091/healthz', timeout=4)"]
# As the first process it hears SIGTERM itself, from its first second on.
ENTRYPOINT ["oneiro-bot"]
