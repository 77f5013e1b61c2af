# The answer to the first page says in meta.last_page how many there are.
for number in 1; do
  curl --silent --show-error --fail-with-body --header "Authorization: Bearer $REFLOW_API_KEY" \
    "{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100&page=$number"
done
