#!/bin/sh
# Sets up a master and three workers on this machine. Safe to run again: what stands already is left as it is.
#
#   FARM=/srv/farm REPOSITORY=https://git.example/app.git RUN='make test' ./provision.sh
#
# Start them afterwards, each as a service of its own:
#   bbx run master /srv/farm/master        bbx run worker /srv/farm/linux-1        …
set -eu
umask 077

FARM=${FARM:-/srv/farm}
WORKERS=${WORKERS:-"linux-1 linux-2 linux-3"}
LISTEN=${LISTEN:-"[::]:9989"}
REACH=${REACH:-"$(hostname):9989"}
REPOSITORY=${REPOSITORY:-}
RUN=${RUN:-make}

set --
if [ -n "$REPOSITORY" ]; then
  set -- --repository "$REPOSITORY" --builder app --run "$RUN"
fi
bbx create-master "$FARM/master" --no-input --listen "$LISTEN" --reach "$REACH" "$@"

for name in $WORKERS; do
  # A worker that was made before has its invitation, or already its key.
  if [ ! -e "$FARM/$name/worker.yaml" ]; then
    bbx worker add "$name" --dir "$FARM/master" |
      bbx create-worker "$FARM/$name" --no-input --name "$name" --tag linux --join -
  fi
done
