#!/usr/bin/env bash
# shellcheck disable=SC2016 # what looks like a variable is text to replace
# infra-mutants.sh: proves that the checks of infra:test can fail. Each line of
# the table breaks one thing in a copy of the repository and names the part that
# must see it. MUTANTS limits it to lines that match a pattern.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=()

# breaks PART FILE SED: runs PART on a copy with FILE edited; it must fail.
breaks() {
  local part=$1 file=$2 edit=$3 copy=$work/copy
  [[ "$part $file $edit" =~ ${MUTANTS:-.} ]] || return 0
  rm -rf "$copy"
  mkdir "$copy"
  # 1 is a file that changed meanwhile, which is somebody's work and no matter here.
  { tar -C "$root" --exclude=.terragrunt-cache --exclude=.terraform --exclude=.git --exclude=./bin -cf - . || [ $? = 1 ]; } |
    tar -C "$copy" -xf -
  sed -i.bak -e "$edit" "$copy/$file" && rm "$copy/$file.bak"
  ! cmp -s "$root/$file" "$copy/$file" || die "$file: $edit changes nothing"
  if INFRA_ONLY=$part "$copy/live/bin/infra-test.sh" >"$work/log" 2>&1; then
    say "MISSED  $part: $file: $edit"
    missed+=("$file: $edit")
  else
    say "seen    $part: $file: $edit"
    grep -m 1 -E '^ +(tasks|roles|network|plans)_test.go|error_message|Error:|Check: |SC[0-9]+ ' "$work/log" | sed 's/^ */        /' || true
  fi
}

containers=modules/ecs/containers.tf iam=modules/ecs/iam.tf vpc=modules/vpc/main.tf
breaks fmt modules/vpc/nat.tf 's/domain = /domain   =   /'
breaks fmt live/root.hcl 's/= 4$/=    4/'
breaks modules $vpc 's/map_public_ip_on_launch = false # only.*/map_public_ip_on_launch = true/'
breaks modules modules/kinesis/variables.tf 's/>= 24 \&\&/>= 1 \&\&/'
breaks modules modules/dynamodb/main.tf 's/hash_key  *= each.value.key/hash_kye = each.value.key/'
breaks go $containers 's/CONSUMER_DEAD_LETTER_TABLE = var/CONSUMER_DEAD_LETTERS_TABLE = var/'
breaks go $containers '/LEASEKEEPER_LEASE_TABLE/d'
breaks go $containers 's/"${local.drain_seconds.consumer}s"/"soon"/'
breaks go $containers 's/drain_seconds + 10/drain_seconds/'
breaks go $containers 's/readonlyRootFilesystem = true/readonlyRootFilesystem = false/'
breaks go $iam 's/, "kinesis:ListShards"\]/]/'
breaks go $iam 's/"kinesis:GetRecords", /&"kinesis:SplitShard", /'
breaks go $iam 's/"kinesis:SubscribeToShard"/"kinesis:DescribeStreamConsumer"/'
breaks go $iam 's/Resource = var.stream.arn/Resource = "*"/'
breaks go modules/ecs/main.tf 's/assign_public_ip = false/assign_public_ip = true/'
breaks go $vpc 's/map_public_ip_on_launch = false # only.*/map_public_ip_on_launch = true/'
breaks go modules/vpc/endpoints.tf 's|cidr_ipv4  *= var.cidr|cidr_ipv4 = "0.0.0.0/0"|'
breaks go live/production/env.hcl 's/deletion_protection = true/deletion_protection = false/'
breaks go live/production/env.hcl 's/"per_az"/"single"/'
breaks plans live/staging/env.hcl 's/tasks  *= { initial = 3/tasks = { initial = 9/'
breaks plans live/production/env.hcl 's/consumer  *= "0.1.0"/consumer = "latest"/'
breaks deploy live/bin/destroy.sh '/^agree /d'
breaks deploy live/bin/deploy.sh 's/in_unit "$unit" apply "$plan"/true/'
breaks scripts live/bin/scale.sh 's/"$count" -lt "$min"/$count -lt $min/'
breaks scan modules/ecr/main.tf 's/scan_on_push = true/scan_on_push = false/'
breaks scan modules/ecs/main.tf '/checkov:skip=CKV_AWS_65/d'
[ "${#missed[@]}" = 0 ] || die "${#missed[@]} broken inputs passed"
say "infra:mutants: every broken input was seen in $SECONDS s"
