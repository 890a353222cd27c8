#!/usr/bin/env bash
# shellcheck disable=SC2016 # what looks like a variable is text to replace
# infra-mutants.sh: proves that the checks of infra:test can fail. Each line of
# the table breaks one thing in a copy of the repository and names the check
# that must fail for it, by what it says. MUTANTS limits it to lines that match a pattern.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

need_terraform
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
missed=() seen=0

# 1 is a file that changed meanwhile, which is somebody's work and no matter here.
mkdir "$work/whole"
{ tar -C "$root" --exclude=.terragrunt-cache --exclude=.terraform --exclude=.git --exclude=./bin -cf - . || [ $? = 1 ]; } |
  tar -C "$work/whole" -xf -

# breaks PART EXPECTED FILE SED: runs PART on a copy with FILE edited; it must
# fail, and say what matches EXPECTED. Of part go, EXPECTED begins with the name
# of the test, which alone is run, over the units the edit can change.
breaks() {
  local part=$1 expected=$2 file=$3 edit=$4 copy=$work/copy planned=. run='' module=. passed=no
  [[ "$part $expected $file $edit" =~ ${MUTANTS:-.} ]] || return 0
  rm -rf "$copy"
  cp -R "$work/whole" "$copy"
  sed -i.bak -e "$edit" "$copy/$file" && rm "$copy/$file.bak"
  ! cmp -s "$work/whole/$file" "$copy/$file" || die "$file: $edit changes nothing"
  case $part in
    go) run=${expected%% *} expected=${expected#* } planned=$(planned_for "$file") ;;
    modules) module=${file#modules/} && module=${module%%/*} ;;
  esac
  INFRA_ONLY=$part INFRA_UNITS=$planned INFRA_RUN=$run INFRA_MODULES=^$module "$copy/live/bin/infra-test.sh" >"$work/log" 2>&1 && passed=yes
  if [ "$passed" = yes ] || ! grep -qE -- "$expected" "$work/log"; then
    say "MISSED  $part: $file: $edit (wanted: $expected)"
    tail -n 3 "$work/log"
    missed+=("$file: $edit")
    return
  fi
  seen=$((seen + 1))
  say "seen    $part: $file: $edit"
  grep -m 1 -E "$expected" "$work/log" | cut -c 1-160 | sed 's/^ */        /'
}

# planned_for FILE: units whose plans an edit of FILE changes; few, because each takes seconds.
planned_for() {
  case $1 in
    modules/ecs/*) echo '^(staging|fanout)/ecs$' ;;
    modules/vpc/*) echo '^production/vpc$' ;;
    modules/kinesis/*) echo '^fanout/kinesis$' ;;
    modules/dynamodb/*) echo '^staging/dynamodb$' ;;
    live/production/*) echo '^(production/(vpc|dynamodb)|_global/ecr)$' ;;
    .github/* | live/bin/*) echo '^_global/ecr$' ;;
    *) echo . ;;
  esac
}

containers=modules/ecs/containers.tf iam=modules/ecs/iam.tf vpc=modules/vpc/main.tf
# Formats, validations and tests of the modules.
breaks fmt nat.tf modules/vpc/nat.tf 's/domain = /domain   =   /'
breaks fmt root.hcl live/root.hcl 's/encrypt      = true/encrypt = true/'
breaks modules 'no route|defaults|public' $vpc 's/map_public_ip_on_launch = false # only.*/map_public_ip_on_launch = true/'
breaks modules 'Missing expected failure' modules/kinesis/variables.tf 's/>= 24 \&\&/>= 1 \&\&/'
breaks modules 'hash_kye' modules/dynamodb/main.tf 's/hash_key  *= each.value.key/hash_kye = each.value.key/'
breaks modules 'Missing expected failure' modules/ecs/variables.tf 's/var.spot_percent == 0 ||/true ||/'
breaks modules 'Missing expected failure' modules/ecr/variables.tf 's/var.keep_images >= 10/var.keep_images >= 1/'
breaks modules 'delete the service' modules/ecs/main.tf '/force_new_deployment  *= true #/d'
breaks modules 'delete the producer' modules/ecs/main.tf '/force_new_deployment  *= true$/d'
# From source to plan to check; e2e/infra's TestBreaks_AreSeen breaks the plans
# in many more ways, and faster.
breaks go 'TestContainers_EnvironmentIsTheBinarysSettings CONSUMER_DEAD_LETTERS_TABLE is no setting' $containers 's/CONSUMER_DEAD_LETTER_TABLE = var/CONSUMER_DEAD_LETTERS_TABLE = var/'
breaks go 'TestRoles_GrantWhatIsCalledAndNoMore kinesis:SplitShard is granted, never called' $iam 's/"kinesis:GetRecords", /&"kinesis:SplitShard", /'
breaks go 'TestPolicies_ActionsExistAndMatchTheirResources SubscribeToShard cannot be granted on' $iam 's/Resource = var.stream.fan_out.arn/Resource = var.stream.arn/'
breaks go 'TestNetwork_NothingPublicButTheNAT lets the internet in' modules/vpc/endpoints.tf 's|cidr_ipv4  *= var.cidr|cidr_ipv4 = "0.0.0.0/0"|'
breaks go 'TestNetwork_ProductionOutlivesAZone NAT gateways in' live/production/env.hcl 's/"per_az"/"single"/'
breaks go 'TestModels_AWSTakesEveryValue LessThan. is none of' modules/ecs/alarms.tf 's/"LessThanThreshold"/"LessThan"/'
# Environments, scripts, workflows.
breaks plans 'does not plan' live/staging/env.hcl 's/min = 2 }/min = 2, max = 9 }/'
breaks plans 'does not plan' live/production/env.hcl 's/consumer  *= "0.1.0"/consumer = "latest"/'
breaks deploy 'without the name' live/bin/destroy.sh '/^agree /d'
breaks deploy 'error:|Error' live/bin/deploy.sh 's/in_unit "$unit" apply "$plan"/true/'
breaks deploy 'lost data' live/bin/deploy.sh '/^  keep_data /d'
breaks deploy 'protected' live/bin/destroy.sh 's/^protected=.*/protected=never/'
breaks scripts SC2086 live/bin/scale.sh 's/"$count" -lt "$min"/$count -lt $min/'
breaks scripts 'does not show' docs/DEPLOY.md 's/| Kinesis, 3 shards |/| Kinesis, 4 shards |/'
breaks go 'TestWorkflows_PinnedLeastAndTheSameTasks is not pinned' .github/workflows/deploy.yml 's/checkout@[0-9a-f]*/checkout@v4/'
breaks go 'TestWorkflows_PinnedLeastAndTheSameTasks are not read only' .github/workflows/release.yml 's/^permissions: {contents: read}/permissions: write-all/'
breaks go 'TestRelease_PublishesOnce pushed over' live/bin/images.sh 's/if image_exists "$binary" "$version"; then/if false; then/'
breaks scan CKV_AWS_163 modules/ecr/main.tf 's/scan_on_push = true/scan_on_push = false/'
breaks scan CKV_AWS_65 modules/ecs/main.tf '/checkov:skip=CKV_AWS_65/d'
[ "${#missed[@]}" = 0 ] || die "${#missed[@]} broken inputs were not seen by the check meant for them"
say "infra:mutants: each of $seen broken inputs was seen by the check meant for it, in $SECONDS s"
