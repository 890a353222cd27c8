#!/usr/bin/env bash
# cost.sh [MESSAGES_PER_SECOND] [KILOBYTES]: what staging costs a month, item by
# item, idle and with that load (100 messages of 0.5 kB a second unless given),
# with a NAT gateway and with interface endpoints instead. Prices are us-east-1's
# list prices in USD, without free tiers and tax; a month is 730 hours. Where they
# come from stands in docs/DEPLOY.md; for another region put its prices below.
set -euo pipefail

awk -v rate="${1:-100}" -v kb="${2:-0.5}" \
  -v vcpu=0.03238 -v memory=0.00356 -v spot=0.3 -v shard=0.015 -v put=0.014 -v write=0.625 -v read=0.125 \
  -v alarm=0.10 -v metric=0.30 -v log_gb=0.50 -v ecr_gb=0.10 \
  -v nat_hour=0.045 -v nat_gb=0.045 -v address=0.005 -v endpoint=0.01 -v endpoint_gb=0.01 '
function row(name, sum, idle, busy) {
  printf "| %s | %s | %.2f | %.2f |\n", name, sum, idle, busy
  total_idle += idle; total_busy += busy
}
function total(name, sum, idle, busy) { printf "| **%s** | %s | **%.2f** | **%.2f** |\n", name, sum, idle, busy }
function ceil(x) { return x == int(x) ? x : int(x) + 1 }
BEGIN {
  hours = 730; seconds = hours * 3600; tasks = 3; shards = 3; zones = 2; alarms = 14
  million = rate * seconds / 1e6
  gb = million * kb # read once, in CBOR: bytes as they are
  print "| item | arithmetic | idle | " rate " messages/s of " kb " kB |"
  print "|---|---|---:|---:|"
  fargate = tasks * (0.25 * vcpu + 0.5 * memory) * hours
  row("Fargate, 3 ARM tasks, Spot", sprintf("%d × (0.25 × %s + 0.5 × %s) × %d h × %s; without Spot %.2f", tasks, vcpu, memory, hours, spot, fargate), fargate * spot, fargate * spot)
  row("Kinesis, 3 shards", sprintf("%d × %s × %d h", shards, shard, hours), shards * shard * hours, shards * shard * hours)
  row("Kinesis, puts", sprintf("%s/s × %d s = %.1f M units of 25 kB × %s", rate, seconds, million * ceil(kb / 25), put), 0, million * ceil(kb / 25) * put)
  units = million * ceil(kb + 0.2) # an item is some 200 bytes larger than its message
  row("DynamoDB, messages", sprintf("%.1f M write units of 1 kB × %s", units, write), 0, units * write)
  beats = tasks * 0.5 * seconds / 1e6
  row("DynamoDB, heartbeats", sprintf("%d × 1 every 2 s = %.2f M × (%s + %s to look at the others)", tasks, beats, write, read), beats * (write + read), beats * (write + read))
  row("DynamoDB, checkpoints", sprintf("%d shards, at most 1 every 2 s = %.2f M × %s", shards, beats, write), 0, beats * write)
  row("CloudWatch, shard metrics", sprintf("%d × 2 × %s", shards, metric), shards * 2 * metric, shards * 2 * metric)
  row("CloudWatch, alarms", sprintf("%d metrics in alarms × %s", alarms, alarm), alarms * alarm, alarms * alarm)
  row("CloudWatch, errors metric", "1 × " metric, metric, metric)
  row("CloudWatch, logs", "about 0.2 GB × " log_gb, 0.2 * log_gb, 0.2 * log_gb)
  row("ECR", "about 0.1 GB × " ecr_gb, 0.1 * ecr_gb, 0.1 * ecr_gb)
  total("before the way out", "", total_idle, total_busy)
  nat = (nat_hour + address) * hours
  one = zones * endpoint * hours
  ends = 4 * one
  total("with one NAT gateway", sprintf("+ (%s + %s for its address) × %d h = %.2f, and %s × %.0f GB", nat_hour, address, hours, nat, nat_gb, gb), total_idle + nat, total_busy + nat + gb * nat_gb)
  total("with it and a kinesis-streams endpoint in 2 zones", sprintf("+ %.2f + %d × %s × %d h = %.2f, and %s × %.0f GB", nat, zones, endpoint, hours, one, endpoint_gb, gb), total_idle + nat + one, total_busy + nat + one + gb * endpoint_gb)
  total("with 4 interface endpoints in 2 zones and no NAT", sprintf("+ 4 × %d × %s × %d h = %.2f, and %s × %.0f GB", zones, endpoint, hours, ends, endpoint_gb, gb), total_idle + ends, total_busy + ends + gb * endpoint_gb)
  printf "\n%.0f GB a month pass the way out at that load: %.1f M messages × %s kB.\n", gb, million, kb
  printf "An endpoint for Kinesis saves %s a GB: it pays from %.0f GB a month on in one zone, from %.0f GB in two.\n", nat_gb - endpoint_gb, endpoint * hours / (nat_gb - endpoint_gb), one / (nat_gb - endpoint_gb)
}'
