curl --header "Authorization: Bearer $REFLOW_API_KEY" \
  '{{ origin }}/v1/stores/{{ store_id }}/orders/'
