package main

import (
	"encoding/json"
	"io"
	"runtime"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/settings"
)

const usage = `localaws: Kinesis and DynamoDB in memory, for laptops and tests

usage: localaws [verb]

  (none)        serve until SIGINT or SIGTERM; the first line on stdout is
                {"listening":"http://host:port"}, logs go to stderr
  healthcheck   exit 0 if the server at LOCALAWS_LISTEN is healthy
  version       print the version (--json for a machine)
  settings      print the settings as a Markdown table (--json for a machine)
  help          print this text

Settings come from LOCALAWS_… environment variables only.
Exit codes: 0 ok, 1 failure, 2 bad settings or usage.
`

func printVersion(stdout io.Writer, asJSON bool) int {
	if !asJSON {
		say(stdout, "%s\n", version)
		return exitOK
	}
	_ = json.NewEncoder(stdout).Encode(map[string]string{"binary": "localaws", "version": version, "go": runtime.Version()})
	return exitOK
}

func printSettings(stdout, stderr io.Writer, asJSON bool) int {
	var err error
	if asJSON {
		var s config.Settings
		if err = settings.Load(config.Prefix, &s); err == nil {
			err = json.NewEncoder(stdout).Encode(s) //nolint:gosec // a stand-in has no secrets
		}
	} else {
		err = settings.WriteTable(stdout, config.Prefix, &config.Settings{})
	}
	if err != nil {
		say(stderr, "localaws: settings:\n%v\n", err)
		return exitUsage
	}
	return exitOK
}
