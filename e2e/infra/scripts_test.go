package infra_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// stage is a copy of live/ for an account of its own, with an AWS CLI and a
// terragrunt that answer from a table.
type stage struct {
	t   *testing.T
	dir string
	env []string
}

const answers = `#!/bin/sh
tasks=0
for word; do case $word in arn:*) tasks=$((tasks + 1)) ;; esac; done
case "$*" in
*describe-tasks*) [ $tasks -le 100 ] || { echo "An error occurred (InvalidParameterException): Tasks cannot be more than 100." >&2; exit 254; } ;;
esac
case "$*" in
*get-caller-identity*) echo "${FAKE_ACCOUNT:-111122223333}" ;;
*describe-images*) [ -z "$FAKE_NO_IMAGE" ] || { echo "An error occurred (ImageNotFoundException)" >&2; exit 254; }; echo sha256:1 ;;
*rolloutState*) [ -z "$FAKE_FAILED" ] || [ -e begun ] || { echo FAILED; exit; }; [ -z "$FAKE_DEAF" ] || [ -e asked ] || { touch asked && exit 254; }; printf '%s\t%s\n' "${FAKE_ROLLOUT:-COMPLETED}" "${FAKE_RUNS:-definition:7}" ;;
*update-service*--force-new-deployment*) touch begun ;;
*desiredCount*update*|*update-service*) echo "consumer	2	2" ;;
*services*desiredCount*) echo "${FAKE_DESIRED:-3}" ;;
*list-tasks*RUNNING*) seq -s "	" -f arn:%g ${FAKE_DESIRED:-3} ;;
*list-tasks*STOPPED*) if [ -z "$FAKE_STOPPED" ]; then echo None; else seq -f arn:%g $FAKE_STOPPED; fi ;;
*wait\ tasks-stopped*) [ -z "$FAKE_WAIT" ] || [ -e waited ] || { touch waited && echo "$FAKE_WAIT" >&2 && exit 255; } ;;
*describe-tasks*containers\[0\].exitCode*) printf '%s\t%s\n' "${FAKE_EXIT:-0}" "${FAKE_REASON:-Essential container in task exited}" ;;
*describe-tasks*healthStatus*) [ -z "$FAKE_LATE" ] || [ -e asked ] || { touch asked && tasks=$((tasks - 1)); }; yes HEALTHY | head -n ${FAKE_HEALTHY:-$tasks} ;;
*describe-tasks*stoppedAt*) for word; do case $word in arn:*) echo "stopped at $word" ;; esac; done ;;
*run-task*) printf '%s\n' "$*" >&2; echo "${FAKE_TASK:-arn:aws:ecs:eu-west-1:111122223333:task/staging/0123abcd}" ;;
*logs\ tail*) [ "$FAKE_EXIT" != None ] || { echo "The specified log stream does not exist." >&2; exit 254; }; echo "$*" ;;
*describe-alarms*) echo "$*" ;;
*scan*-workers*) printf 'a/1\t%s\nb/2\t%s\n' "$(date +%s%N)" "${FAKE_STILL:-$(date +%s%N)}" ;;
*scan*-leases*) printf 'shardId-000000000000\ta/1\nshardId-000000000001\t%s\n' "${FAKE_OWNER:-b/2}" ;;
*get-metric-statistics*--metric-name\ SubscribeToShardEvent.MillisBehindLatest\ --dimensions\ Name=StreamName,Value=s\ Name=ConsumerName,Value=c\ *) echo "${FAKE_AGES:-90000	400}" ;;
*register-scalable-target* | *-alarm-actions*) echo "$*" >&2 ;;
*describe-scalable-targets*) printf '2\t3\n' ;;
*) echo "fake aws: $*" >&2 ;;
esac
`

const units = `#!/bin/sh
case "$*" in
*age_metric*) printf 'SubscribeToShardEvent.MillisBehindLatest Name=StreamName,Value=s Name=ConsumerName,Value=c' ;;
*verb_task_definition_arns*) echo '{"consumer":"consumer-verb:7","leasekeeper":"leasekeeper-verb:7"}' ;;
*" plan"*) echo "plan $PWD, bootstrap $TG_BACKEND_BOOTSTRAP, $TF_CLI_ARGS_plan"; exit ${FAKE_PLAN:-0} ;;
*" show "*) echo "$FAKE_SHOW" ;;
*" apply "*) [ -z "$FAKE_ONCE" ] || [ -e "$HOME/live/applied" ] || { touch "$HOME/live/applied" && exit 1; }; exit ${FAKE_APPLY:-0} ;;
*" state list"*) echo "$FAKE_STATE" ;;
*" output -json"*) printf '{\n  "deletion_protection": {\n    "sensitive": false,\n    "type": "bool",\n    "value": %s\n  }\n}\n' "${FAKE_PROTECTED:-false}" ;;
*" destroy "*) echo "destroying $PWD" ;;
*) printf definition:7 ;;
esac
`

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir()}
	live, err := filepath.Abs(filepath.Join(root, "live"))
	if err != nil {
		t.Fatal(err)
	}
	s.shell(`mkdir -p bin && tar -C "$1" --exclude=.terragrunt-cache -cf - live | tar -xf -`, filepath.Dir(live))
	s.shell(`sed -i.bak 's/"123456789012"/"111122223333"/' live/*/env.hcl`)
	s.write("bin/aws", answers)
	s.write("bin/terragrunt", units)
	s.write("bin/terraform", "#!/bin/sh\necho Terraform v1.11.4\n")
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	s.env = []string{"PATH=" + s.dir + "/bin:" + os.Getenv("PATH"), "HOME=" + s.dir, "GOCACHE=" + strings.TrimSpace(string(cache)),
		"GIT_CONFIG_GLOBAL=/dev/null", "VERIFY_WAIT=1", "VERIFY_POLL=0.1", "DEPLOY_PAUSE=0"}
	return s
}

func (s *stage) write(path, content string) {
	s.t.Helper()
	full := filepath.Join(s.dir, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) read(path string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, path))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *stage) shell(script string, args ...string) {
	s.t.Helper()
	cmd := exec.Command("sh", append([]string{"-ec", script, "sh"}, args...)...)
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v: %s", script, err, out)
	}
}

// run runs a script of live/bin and returns what it said and whether it went well.
func (s *stage) run(fakes []string, script string, args ...string) (string, bool) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.dir, "live/bin", script), args...)
	cmd.Dir = s.dir
	cmd.Env = append(append([]string{}, s.env...), fakes...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestScripts_SayWhatIsWrong(t *testing.T) {
	s := newStage(t)
	for name, tc := range map[string]struct {
		fakes  []string
		script string
		args   string
		ok     bool
		want   string
	}{
		"verify":                  {nil, "verify.sh", "staging", true, "every shard is held by a live worker"},
		"verify/age falls":        {nil, "verify.sh", "staging", true, "oldest unread record: 0.4 s (90.0 s before)"},
		"verify/roll-out failed":  {[]string{"FAKE_ROLLOUT=FAILED"}, "verify.sh", "staging", false, "the roll-out failed"},
		"verify/how to go back":   {[]string{"FAKE_ROLLOUT=FAILED"}, "verify.sh", "staging", false, "To go back: put the versions before"},
		"verify/rolled back":      {[]string{"FAKE_RUNS=definition:6"}, "verify.sh", "staging", false, "ECS rolled back: it runs definition:6"},
		"verify/never stable":     {[]string{"FAKE_ROLLOUT=IN_PROGRESS"}, "verify.sh", "staging", false, "not stable after 1 s"},
		"verify/unhealthy":        {[]string{"FAKE_HEALTHY=2"}, "verify.sh", "staging", false, "2 of 3 tasks are healthy"},
		"verify/a task more":      {[]string{"FAKE_LATE=1", "VERIFY_WAIT=60"}, "verify.sh", "staging", true, "3 of 3 tasks healthy"},
		"verify/many tasks":       {[]string{"FAKE_DESIRED=201"}, "verify.sh", "staging", true, "201 of 201 tasks healthy"},
		"verify/owner gone":       {[]string{"FAKE_OWNER=c/3"}, "verify.sh", "staging", false, "shardId-000000000001 (owner c/3 is not there)"},
		"verify/no owner":         {[]string{"FAKE_OWNER=None"}, "verify.sh", "staging", false, "shardId-000000000001"},
		"verify/owner silent":     {[]string{"FAKE_STILL=5"}, "verify.sh", "staging", false, "shardId-000000000001 (owner b/2 sends no heartbeat)"},
		"verify/behind":           {[]string{"FAKE_AGES=70000	90000"}, "verify.sh", "staging", false, "the readers fall behind"},
		"verify/scaled to 0":      {[]string{"FAKE_DESIRED=0"}, "verify.sh", "staging", true, "the service is scaled to 0"},
		"verify/asked in vain":    {[]string{"FAKE_DEAF=1", "VERIFY_WAIT=60"}, "verify.sh", "staging", true, "every shard is held by a live worker"},
		"deploy/wrong account":    {[]string{"FAKE_ACCOUNT=999999999999"}, "deploy.sh", "staging", false, "these credentials are of account 999999999999"},
		"deploy/unknown place":    {nil, "deploy.sh", "moon", false, "ENV: want staging or production"},
		"deploy/unknown option":   {nil, "deploy.sh", "staging --force", false, "no option --force"},
		"deploy/no image, no tag": {[]string{"FAKE_NO_IMAGE=1"}, "deploy.sh", "staging", false, "task release MODULE=producer VERSION=0.1.0"},
		"deploy/plan fails":       {[]string{"FAKE_PLAN=1"}, "deploy.sh", "staging", false, "_global/ecr: the plan failed, nothing of it was applied"},
		"deploy/breaks off":       {[]string{"FAKE_PLAN=2", "FAKE_APPLY=1"}, "deploy.sh", "staging", false, "_global/ecr: applying broke off"},
		"deploy/once more":        {[]string{"FAKE_PLAN=2", "FAKE_ONCE=1"}, "deploy.sh", "staging", true, "done and proven"},
		"deploy/loses a stream":   {[]string{"FAKE_PLAN=2", "FAKE_SHOW=  # aws_kinesis_stream.this must be replaced"}, "deploy.sh", "staging --yes", false, "would be lost, so nothing was applied:\n  # aws_kinesis_stream.this must be replaced"},
		"deploy/loses a table":    {[]string{"FAKE_PLAN=2", `FAKE_SHOW=  # aws_dynamodb_table.this["leases"] will be destroyed`}, "deploy.sh", "staging", false, "would be lost"},
		"deploy/to lose a table":  {[]string{"FAKE_PLAN=2", `FAKE_SHOW=  # aws_dynamodb_table.this["leases"] will be destroyed`}, "deploy.sh", "staging --lose-data", true, "done and proven"},
		"deploy/loses a network":  {[]string{"FAKE_PLAN=2", `FAKE_SHOW=  # aws_subnet.private["eu-west-1a"] must be replaced`}, "deploy.sh", "staging", false, "would be lost"},
		"deploy/loses a VPC":      {[]string{"FAKE_PLAN=2", "FAKE_SHOW=  # aws_vpc.this must be replaced"}, "deploy.sh", "staging", false, "task scale COUNT=0"},
		"deploy/begins again":     {[]string{"FAKE_FAILED=1"}, "deploy.sh", "staging", true, "done and proven"},
		"deploy/loses no data":    {[]string{"FAKE_PLAN=2", "FAKE_SHOW=  # aws_kinesis_stream_consumer.this must be replaced"}, "deploy.sh", "staging", true, "done and proven"},
		"deploy/waits for a lock": {nil, "deploy.sh", "staging", true, "live/_global/ecr, bootstrap true, -lock-timeout=3m"},
		"deploy/makes its bucket": {nil, "deploy.sh", "staging --no-verify", true, "live/staging/vpc, bootstrap true"},
		"deploy/not proven":       {nil, "deploy.sh", "staging --no-verify", true, "applied, not proven"},
		"plan/makes nothing":      {nil, "plan.sh", "staging", true, "live/staging/vpc, bootstrap false"},
		"deploy/way back":         {[]string{"FAKE_PLAN=2", "FAKE_APPLY=1"}, "deploy.sh", "staging", false, "To go back: put what was there before into"},
		"deploy/applied":          {[]string{"FAKE_PLAN=2"}, "deploy.sh", "staging", true, "done and proven"},
		"deploy/production asks":  {[]string{"FAKE_PLAN=2"}, "deploy.sh", "production", false, "Apply this to _global/ecr? Type production to go on: error: _global/ecr: not applied, as you wish"},
		"deploy/approved before":  {[]string{"FAKE_PLAN=2"}, "deploy.sh", "production --yes", true, "deploy production: done and proven"},
		"deploy":                  {nil, "deploy.sh", "staging", true, "deploy staging: done and proven"},
		"scale":                   {nil, "scale.sh", "staging 2", true, "consumer	2	2"},
		"scale/resumes":           {nil, "scale.sh", "staging 2", true, "DynamicScalingInSuspended=false,DynamicScalingOutSuspended=false"},
		"scale/rings again":       {nil, "scale.sh", "staging 2", true, "enable-alarm-actions --alarm-names staging-tasks-missing staging-nobody-reads"},
		"scale/none":              {nil, "scale.sh", "staging 0", true, "DynamicScalingInSuspended=true,DynamicScalingOutSuspended=true"},
		"scale/none is silent":    {nil, "scale.sh", "staging 0", true, "disable-alarm-actions --alarm-names staging-tasks-missing staging-nobody-reads"},
		"scale/too few":           {nil, "scale.sh", "staging 1", false, "want 0, or 2 to 3"},
		"scale/too many":          {nil, "scale.sh", "staging 9", false, "want 0, or 2 to 3"},
		"scale/no number":         {nil, "scale.sh", "staging many", false, "COUNT: want a number"},
		"logs":                    {nil, "logs.sh", "staging 2h", true, "logs tail /ecs/staging --since 2h --follow"},
		"status":                  {nil, "status.sh", "staging", true, "shardId-000000000001	b/2"},
		"status/alarms":           {nil, "status.sh", "staging", true, "--alarm-name-prefix staging- --state-value ALARM"},
		"status/stopped":          {nil, "status.sh", "staging --stopped", true, "no task has stopped"},
		"status/crash loop":       {[]string{"FAKE_STOPPED=150"}, "status.sh", "staging --stopped", true, "stopped at arn:99"},
		"produce":                 {nil, "produce.sh", "staging 500", true, "--log-stream-names producer/producer/0123abcd"},
		"produce/failed":          {[]string{"FAKE_EXIT=1"}, "produce.sh", "staging", false, "the producer ended with exit code 1"},
		"produce/not started":     {[]string{"FAKE_TASK=None"}, "produce.sh", "staging", false, "ECS started no task"},
		"produce/no number":       {nil, "produce.sh", "staging many", false, "COUNT: want a number"},
		"produce/waits on":        {[]string{"FAKE_WAIT=Waiter TasksStopped failed: Max attempts exceeded"}, "produce.sh", "staging", true, "--log-stream-names producer/producer/0123abcd"},
		"produce/cannot watch":    {[]string{"FAKE_WAIT=An error occurred (ExpiredTokenException)"}, "produce.sh", "staging", false, "cannot be watched: An error occurred (ExpiredTokenException)"},
		"produce/never ran":       {[]string{"FAKE_EXIT=None", "FAKE_REASON=CannotPullContainerError: no such image"}, "produce.sh", "staging", false, "never ran: CannotPullContainerError: no such image"},
		"verb":                    {nil, "verb.sh", `staging leasekeeper rewind --to a"b\c`, true, `"command":["rewind","--to","a\"b\\c"]`},
		"verb/its definition":     {nil, "verb.sh", "staging leasekeeper leases", true, "--task-definition leasekeeper-verb:7"},
		"verb/its log":            {nil, "verb.sh", "staging consumer redrive", true, "--log-stream-names consumer/consumer-verb/0123abcd"},
		"verb/failed":             {[]string{"FAKE_EXIT=1"}, "verb.sh", "staging leasekeeper leases", false, "--log-stream-names leasekeeper/leasekeeper-verb/0123abcd"},
		"verb/no verb":            {nil, "verb.sh", "staging leasekeeper", false, "want a binary and its verb"},
		"verb/no binary":          {nil, "verb.sh", "staging leases now", false, "want a binary and its verb"},
		"replay":                  {nil, "replay.sh", "staging 2h 30m shardId-1,shardId-2", true, `"command":["replay","--json","--from","2h","--until","30m","--shard","shardId-1","--shard","shardId-2"]`},
		"replay/its log":          {nil, "replay.sh", "staging TRIM_HORIZON", true, "--log-stream-names consumer/consumer-verb/0123abcd"},
		"replay/stopped":          {[]string{"FAKE_EXIT=3"}, "replay.sh", "staging 2h", false, "task replay ENV=staging RESUME=file"},
		"replay/failed":           {[]string{"FAKE_EXIT=1"}, "replay.sh", "staging 2h", false, "the replay ended before its end, with exit code 1: see the lines above. To go on, put the line that begins with"},
		"replay/refused":          {[]string{"FAKE_EXIT=2"}, "replay.sh", "staging 2h", false, "the replay's settings are refused"},
		"replay/no time":          {nil, "replay.sh", "staging", false, "FROM: want TRIM_HORIZON"},
		"replay/other table":      {nil, "replay.sh", "staging 2h 1h shardId-1  other.table", true, `"--shard","shardId-1"],"environment":[{"name":"CONSUMER_MESSAGES_TABLE","value":"other.table"}]}]}`},
		"replay/no table":         {nil, "replay.sh", "staging 2h 1h shardId-1  a,b", false, "TABLE: want the name of a DynamoDB table"},
		"replay/no shard":         {nil, "replay.sh", "staging 2h 1h everything", false, "SHARD: want shard ids"},
		"destroy/protected":       {[]string{"FAKE_PROTECTED=true"}, "destroy.sh", "production", false, "the tables of production are protected; nothing was destroyed"},
		"destroy/not named":       {nil, "destroy.sh", "production", false, "nothing was destroyed"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, once := range []string{"waited", "asked", "begun", "live/applied"} {
				_ = os.Remove(filepath.Join(s.dir, once))
			}
			out, ok := s.run(tc.fakes, tc.script, arguments(tc.args)...)
			if ok != tc.ok || !strings.Contains(out, tc.want) {
				t.Errorf("%s %s: went well: %t, want %t; want it to say %q, got:\n%s", tc.script, tc.args, ok, tc.ok, tc.want, out)
			}
		})
	}
}

// arguments are what stands between single spaces; nothing between two is an empty one.
func arguments(line string) []string {
	if line == "" {
		return nil
	}
	return strings.Split(line, " ")
}

func TestScripts_ReplayGoesOnFromALog(t *testing.T) {
	s := newStage(t)
	s.write("log", `2026-11-23T12:00:00 {"stream":"test","from":"TRIM_HORIZON"}`+"\n")
	cmd := exec.Command(filepath.Join(s.dir, "live/bin/replay.sh"), "staging", "", "", "", "log")
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	if want := `"--resume","{\"stream\":\"test\",\"from\":\"TRIM_HORIZON\"}"]`; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("got %v, %s, want the command %s", err, out, want)
	}
}

// An alarm of a stream with a name of its own is shown too.
func TestScripts_StatusAsksForTheStreamsAlarms(t *testing.T) {
	s := newStage(t)
	s.shell(`sed -i.bak 's/"staging-test"/"events"/' live/staging/env.hcl`)
	if out, ok := s.run(nil, "status.sh", "staging"); !ok || !strings.Contains(out, "--alarm-name-prefix events- --state-value ALARM") {
		t.Errorf("want the stream's alarms asked for, got %s", out)
	}
}

func TestScripts_PlaceholderAccountIsNamed(t *testing.T) {
	s := newStage(t)
	s.shell(`sed -i.bak 's/"111122223333"/"123456789012"/' live/*/env.hcl`)
	if out, ok := s.run(nil, "deploy.sh", "staging"); ok || !strings.Contains(out, "still the placeholder") {
		t.Errorf("want the placeholder named, got %s", out)
	}
}
