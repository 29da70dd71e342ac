# Runs ./barge.tgz as people do, in a network that has the loopback only.
ip link set lo up

npx --offline --yes ./barge.tgz --version

# The server, from an installation: npx does not pass signals on.
mkdir installed
npm install --offline --no-audit --no-fund --silent --prefix installed ./barge.tgz
printf 'long enough\n' >password
npx --offline --yes ./barge.tgz user add alice --quota 1GB --password-file password --data data >/dev/null 2>&1
mkfifo ready
installed/node_modules/.bin/barge serve --data data --native 127.0.0.1:0 --http off --workers 1 --json \
  >ready 2>log &
server=$!
read -r line <ready
address=$(printf %s "$line" | sed 's/.*"native":"\([^"]*\)".*/\1/')
export BARGE_SERVER="barge://alice@$address" BARGE_PASSWORD='long enough'

head -c 3000000 /dev/urandom >sent
npx --offline --yes ./barge.tgz put -q sent /home/
npx --offline --yes ./barge.tgz get -q /home/sent received
cmp sent received && echo 'same bytes'
npx --offline --yes ./barge.tgz get -q /home/missing x 2>/dev/null || echo "exit code $?"
kill -TERM "$server"
wait "$server" && echo "server ended with $?"
