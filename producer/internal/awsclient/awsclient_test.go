package awsclient_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/awsclient"
)

// setEnv gives the SDK these variables, and no files or others of its own.
func setEnv(t *testing.T, env map[string]string) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none")
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL_DYNAMODB"} {
		t.Setenv(name, env[name])
	}
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
}

func TestLoad(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want error
	}{
		"complete":       {map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}, nil},
		"no region":      {map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}, awsclient.ErrNoRegion},
		"no credentials": {map[string]string{"AWS_REGION": "eu-west-1"}, awsclient.ErrNoCredentials},
	} {
		t.Run(name, func(t *testing.T) {
			setEnv(t, tc.env)
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			if _, err := awsclient.Load(t.Context(), zerolog.Nop()); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// TestLoad_Log: where instance metadata answers and has no credentials, the SDK
// warns of version 1 of its protocol; that belongs in our log, and only there.
func TestLoad_Log(t *testing.T) {
	metadata := httptest.NewServer(http.NotFoundHandler())
	defer metadata.Close()
	setEnv(t, map[string]string{"AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.URL})
	stderr := os.Stderr
	defer func() { os.Stderr = stderr }()
	raw, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = raw
	var log bytes.Buffer
	if _, err := awsclient.Load(t.Context(), zerolog.New(&log).Level(zerolog.DebugLevel)); !errors.Is(err, awsclient.ErrNoCredentials) {
		t.Errorf("got %v, want ErrNoCredentials", err)
	}
	_ = raw.Close()
	if got, err := os.ReadFile(raw.Name()); err != nil || len(got) > 0 {
		t.Errorf("got %q on standard error, %v, want nothing", got, err)
	}
	if got := log.String(); !strings.Contains(got, `"level":"debug"`) || !strings.Contains(got, "IMDSv1") {
		t.Errorf("got log %q, want what the SDK says at debug level", got)
	}
}
