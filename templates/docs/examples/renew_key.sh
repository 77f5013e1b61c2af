# Renew the key in a file: sh renew_key.sh /var/lib/reflow/api-key
set -eu
umask 077

call() { # the key goes in by standard input, where no other user of the machine sees it
    printf 'header = "Authorization: Bearer %s"\n' "$3" |
        curl --fail-with-body --silent --show-error --max-time 30 --config - --request "$1" "{{ origin }}$2"
}

exec 9>"$1.lock"
flock 9 # one at a time
new=$(call POST /v1/api-key/roll/ "$(cat "$1")" | sed -n 's/.*"key": *"\([0-9a-f.]*\)".*/\1/p')
[ -n "$new" ]
printf %s "$new" >"$1.new"
sync "$1.new"
mv "$1.new" "$1" # all of it, or nothing
sync "$(dirname "$1")"
call GET /v1/api-key/ "$new" >/dev/null # a minute after this the old key ends
