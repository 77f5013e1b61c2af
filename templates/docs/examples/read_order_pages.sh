# The header Link has the address of the next page, and none on the last.
url='{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100'
while [ "$url" ]; do
  headers=$(mktemp)
  curl --silent --show-error --fail-with-body --dump-header "$headers" \
    --header "Authorization: Bearer $REFLOW_API_KEY" "$url" || exit 1
  url=$(sed -n 's/^[Ll]ink:.*<\([^>]*\)>; rel="next".*/\1/p' "$headers")
  rm "$headers"
done
