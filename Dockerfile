# Not run by this project's tests, which have no registry of images.
#
#   docker build -t barge .
#   docker run -d --name barge -v barge:/data -p 7171:7171 -p 8080:8080 barge
#   docker exec barge cat /data/admin-password
#
# Arguments behind the image's name replace CMD: docker run barge serve --data /data --sftp 0.0.0.0:2222
FROM node:22-bookworm-slim AS build
# git names the commit in the executable.
RUN apt-get update && apt-get install -y --no-install-recommends git ca-certificates
WORKDIR /src
COPY . .
RUN git config --global --add safe.directory /src && npx --yes deno@2.9.6 task compile --out /barge

FROM debian:12-slim
COPY --from=build /barge /usr/local/bin/barge
RUN useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin barge \
  && install -d -o barge -g barge -m 0700 /data
USER barge
ENV BARGE_DATA=/data
VOLUME /data
EXPOSE 7171 8080
# SIGTERM lets transfers end: docker stop --time 45.
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["barge", "ping", "barge://127.0.0.1:7171", "--tls"]
ENTRYPOINT ["barge"]
CMD ["serve", "--native", "0.0.0.0:7171", "--http", "0.0.0.0:8080"]
