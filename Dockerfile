# One image for all our processes: worker, archiver, the demo's engines, and the jobs that run once.
#   docker build -t manometer .
#   docker run --rm manometer --help

FROM python:3.13.9-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/manometer
WORKDIR /src
COPY . .
RUN pip --python /opt/manometer/bin/python install -c constraints.txt '.[kafka,influxdb]'

FROM python:3.13.9-slim-trixie
# The folders of secrets belong to the user below, so that volumes that are mounted there begin as theirs.
RUN useradd --uid 10001 --no-create-home --home-dir /manometer manometer \
    && install -d -o manometer -g manometer /manometer \
        /secrets /secrets/archiver /secrets/grafana /secrets/influxdb
COPY --from=build /opt/manometer /opt/manometer
ENV PATH=/opt/manometer/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /manometer
ENTRYPOINT ["manometer"]
CMD ["--help"]
