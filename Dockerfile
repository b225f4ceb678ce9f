# One image: the application, the trainer and the embedded PostgreSQL.
# Every RUN is a command that the tests run too (test/e2e/packaging.spec.ts).

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json nest-cli.json ormconfig.ts ./
COPY src ./src
RUN npm run build

FROM node:20-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev

FROM python:3.11-slim-bookworm AS installed
WORKDIR /data
WORKDIR /app
# A virtual environment cannot be moved: it is made where the application looks for it; the download cache stays behind.
ENV CLARA_CACHE_DIR=/opt/clara UV_CACHE_DIR=/var/cache/uv
COPY trainer/install.py trainer/requirements.lock ./trainer/
RUN python3 trainer/install.py
COPY --from=node:20-bookworm-slim /usr/local/bin/node /usr/local/bin/
COPY scripts/install-postgres.mjs ./scripts/
RUN node scripts/install-postgres.mjs

FROM node:20-bookworm-slim AS llamacpp
WORKDIR /app
# The image has no npm: what is installed on demand elsewhere is installed here.
ENV CLARA_CACHE_DIR=/opt/clara
COPY scripts/install-llamacpp.mjs scripts/install-postgres.mjs scripts/one-at-a-time.mjs scripts/program.mjs ./scripts/
COPY scripts/llamacpp ./scripts/llamacpp
RUN node scripts/install-llamacpp.mjs

FROM python:3.11-slim-bookworm
WORKDIR /app
COPY --from=node:20-bookworm-slim /usr/local/bin/node /usr/local/bin/
# PostgreSQL refuses root, and asks for the name of its user: nobody (65534) has one in every Debian.
COPY --from=installed --chown=nobody:nogroup /data /data
COPY --from=installed --chown=nobody:nogroup /opt/clara /opt/clara
COPY --from=llamacpp --chown=nobody:nogroup /opt/clara /opt/clara
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY scripts/install-postgres.mjs scripts/healthcheck.mjs ./scripts/
COPY scripts/install-llamacpp.mjs scripts/one-at-a-time.mjs scripts/program.mjs ./scripts/
COPY scripts/llamacpp ./scripts/llamacpp
# `node scripts/clara.mjs …` is `npx clara …` here.
COPY scripts/clara.mjs scripts/built-module.mjs scripts/problem.mjs scripts/root.mjs ./scripts/
COPY configs ./configs
COPY data-samples ./data-samples
COPY trainer ./trainer
COPY --from=build /app/dist ./dist
# Inside a container every address is the container's own; what is published is decided outside.
# Stopping a container ends its processes: trainings save first, and go on at the next start.
ENV NODE_ENV=production \
    HOME=/data \
    CLARA_CACHE_DIR=/opt/clara \
    CLARA_DATA_DIR=/data \
    CLARA_LOG_DIR=/data/logs \
    CLARA_HOST=0.0.0.0 \
    CLARA_ALLOW_REMOTE_DEBUG=true \
    CLARA_STOP_WORKERS=end
VOLUME /data
EXPOSE 45678 45679 45680 45681 45682 9310 8443
USER 65534:65534
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["node", "scripts/healthcheck.mjs"]
ENTRYPOINT ["node", "--enable-source-maps", "--max-semi-space-size=32", "dist/src/main.js"]
