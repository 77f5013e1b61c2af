# Keep the last cursor: tomorrow it reads on from here.
cursor=
more=true
while [ "$more" = true ]; do
  page=$(curl --silent --show-error --fail-with-body --header "Authorization: Bearer $REFLOW_API_KEY" \
    "{{ origin }}/v1/stores/{{ store_id }}/changes/?perpage=100&cursor=$cursor") || { echo "$page" >&2; exit 1; }
  echo "$page"
  cursor=$(echo "$page" | sed -n 's/.*"next_cursor":"\([^"]*\)".*/\1/p')
  more=$(echo "$page" | sed -n 's/.*"has_more":\([a-z]*\).*/\1/p')
done
