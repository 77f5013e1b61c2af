# However often it is sent, there is one coupon.
curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
  --header "Authorization: Bearer $REFLOW_API_KEY" --header "Idempotency-Key: winter-$(date +%s)-$$" \
  --header 'Content-Type: application/json' \
  --data '{"code": "WINTER", "kind": "percent", "value": 10, "starts_at": "2026-12-01T00:00:00Z"}' \
  '{{ origin }}/v1/stores/{{ store_id }}/coupons/'
