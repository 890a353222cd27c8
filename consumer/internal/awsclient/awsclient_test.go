package awsclient_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
)

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
			none := filepath.Join(t.TempDir(), "none")
			for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
				"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
				t.Setenv(name, tc.env[name])
			}
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			t.Setenv("AWS_CONFIG_FILE", none)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
			if _, err := awsclient.Load(t.Context()); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}
