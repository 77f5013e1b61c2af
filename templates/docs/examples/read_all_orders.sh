# One page at a time. What the answer calls links.next is the address of the one after it.
curl --header "Authorization: Bearer $REFLOW_API_KEY" \
  '{{ origin }}/v1/stores/{{ store_id }}/orders/?perpage=100&cursor='
