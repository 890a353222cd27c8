#!/usr/bin/env bash
# cost.sh [MESSAGES_PER_SECOND] [KILOBYTES]: what staging costs a month, item by
# item, idle and with that load (100 messages of 0.5 kB a second unless given),
# with a NAT gateway and with interface endpoints instead. Prices are eu-west-1's
# list prices in USD, without free tiers and tax; a month is 730 hours.
set -euo pipefail

awk -v rate="${1:-100}" -v kb="${2:-0.5}" '
function row(name, sum, idle, busy) {
  printf "| %s | %s | %.2f | %.2f |\n", name, sum, idle, busy
  total_idle += idle; total_busy += busy
}
function total(name, idle, busy) { printf "| **%s** | | **%.2f** | **%.2f** |\n", name, idle, busy }
function ceil(x) { return x == int(x) ? x : int(x) + 1 }
BEGIN {
  hours = 730; seconds = hours * 3600; tasks = 3; shards = 3; zones = 2
  million = rate * seconds / 1e6
  gb = million * kb * 4 / 3 # the JSON protocol carries records in base64
  print "| item | arithmetic | idle | " rate " messages/s of " kb " kB |"
  print "|---|---|---:|---:|"
  fargate = tasks * (0.25 * 0.03238 + 0.5 * 0.00356) * hours
  row("Fargate, 3 ARM tasks, Spot", "3 × (0.25 × 0.03238 + 0.5 × 0.00356) × 730 h × 0.3; without Spot " sprintf("%.2f", fargate), fargate * 0.3, fargate * 0.3)
  row("Kinesis, 3 shards", "3 × 0.017 × 730 h", shards * 0.017 * hours, shards * 0.017 * hours)
  row("Kinesis, puts", sprintf("%.1f M units of 25 kB × 0.0165", million * ceil(kb / 25)), 0, million * ceil(kb / 25) * 0.0165)
  units = million * ceil(kb + 0.2) # an item is some 200 bytes larger than its message
  row("DynamoDB, messages", sprintf("%.1f M write units of 1 kB × 0.705", units), 0, units * 0.705)
  beats = tasks * 0.5 * seconds / 1e6
  row("DynamoDB, heartbeats", sprintf("3 × 1 every 2 s = %.2f M × (0.705 + 0.1415)", beats), beats * (0.705 + 0.1415), beats * (0.705 + 0.1415))
  row("DynamoDB, checkpoints", sprintf("3 shards, at most 1 every 2 s = %.2f M × 0.705", beats), 0, beats * 0.705)
  row("CloudWatch, shard metrics", "3 × 2 × 0.30", 1.8, 1.8)
  row("CloudWatch, alarms", "15 alarm metrics × 0.10", 1.5, 1.5)
  row("CloudWatch, errors metric", "1 × 0.30", 0.3, 0.3)
  row("CloudWatch, logs", "about 0.2 GB × 0.57", 0.11, 0.11)
  row("ECR", "about 0.1 GB × 0.10", 0.01, 0.01)
  total("before the way out", total_idle, total_busy)
  nat = (0.048 + 0.005) * hours
  ends = 4 * zones * 0.011 * hours
  one = zones * 0.011 * hours
  total("with one NAT gateway (0.048 + 0.005 for its address) × 730 h, and 0.048 a GB", total_idle + nat, total_busy + nat + gb * 0.048)
  total("with it and a kinesis-streams endpoint in 2 zones, 0.01 a GB", total_idle + nat + one, total_busy + nat + one + gb * 0.01)
  total("with 4 interface endpoints in 2 zones (4 × 2 × 0.011 × 730 h) and no NAT", total_idle + ends, total_busy + ends + gb * 0.01)
  printf "\n%.0f GB a month are read through the way out at that load.\n", gb
}'
