# Whoever changes the order in between makes this a 412, and nothing is overwritten.
orders='{{ origin }}/v1/stores/{{ store_id }}/orders/'
get() {
  curl --silent --show-error --fail-with-body --header "Authorization: Bearer $REFLOW_API_KEY" "$@"
}
newest=$(get "$orders?perpage=1" | sed -n 's/.*"object":"order","id":"\([0-9]*\)".*/\1/p')
etag=$(get --output /dev/null --dump-header - "$orders$newest" | sed -n 's/^[Ee][Tt]ag: \(.*"\).*/\1/p')
get --request PATCH --header "If-Match: $etag" --header 'Content-Type: application/json' \
  --data '{"note": "Packed."}' "$orders$newest"
