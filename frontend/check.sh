#!/bin/sh
# Proves that the committed front-end files are what the sources build. Exit 1 names what differs.
set -eu
cd "$(dirname "$0")"
served=../src/sanjeevani/web/static

if ! command -v npm >/dev/null 2>&1; then
  echo "frontend: node and npm (18 or newer) are needed to check the built files" >&2
  exit 1
fi
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-progress
fi

built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT INT TERM
node build.js "$built"

if ! diff -rq "$built" "$served"; then
  echo "frontend: the committed files are not what the sources build: run 'npm run build' in frontend/ and commit" >&2
  exit 1
fi
npm run --silent types
echo "frontend: built files and types are right"
