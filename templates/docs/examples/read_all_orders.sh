# --retry waits as long as Retry-After says. The last answer has "next":null.
url='{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100&cursor='
while [ "$url" ]; do
  page=$(curl --silent --show-error --fail-with-body --retry 5 \
    --header "Authorization: Bearer $REFLOW_API_KEY" "$url") || { echo "$page" >&2; exit 1; }
  echo "$page"
  url=$(echo "$page" | sed -n 's/.*"next":"\([^"]*\)".*/\1/p')
done
