// Package kcl runs the real Kinesis Client Library as a process (the Java
// program in e2e/kcl, and for version 1 that in e2e/kcl1), to test that its lease table can be taken over and
// handed back. It needs Maven, a JDK 17 and Maven's registry.
package kcl

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// ErrUnavailable means that this machine cannot have the library.
var ErrUnavailable = errors.New("needs mvn and java, and a registry to install from")

// buildTimeout bounds a build that has to download some eighty jars.
const buildTimeout = 4 * time.Minute

// Build makes the program with one version of the library, below bin/kcl, unless
// it is there, and returns its folder.
func Build(ctx context.Context, root, version string) (string, error) {
	dir := filepath.Join(root, "bin", "kcl", version)
	if _, err := os.Stat(filepath.Join(dir, "built")); err == nil {
		return dir, nil
	}
	for _, tool := range []string{"mvn", "java"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, buildTimeout)
	defer cancel()
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "package", "dependency:copy-dependencies",
		"-Dkcl.version="+version, "-Dout="+dir, "-DoutputDirectory="+filepath.Join(dir, "lib"))
	mvn.Dir = filepath.Join(root, "e2e", source(version))
	if out, err := mvn.CombinedOutput(); err != nil {
		if text := string(out); strings.Contains(text, "Could not transfer") || strings.Contains(text, "Could not resolve") {
			return "", fmt.Errorf("%w: the library %s cannot be resolved", ErrUnavailable, version)
		}
		return "", fmt.Errorf("build with version %s of the library: %w\n%s", version, err, out)
	}
	return dir, os.WriteFile(filepath.Join(dir, "built"), nil, 0o600)
}

// source is the folder of the program: version 1 has other packages, and the
// AWS SDK for Java 1.
func source(version string) string {
	if strings.HasPrefix(version, "1.") {
		return "kcl1"
	}
	return "kcl"
}

// Worker is one running worker of the library.
type Worker struct {
	*proc.Process
	out string
}

// Start starts a worker on an application's lease table. env are the AWS
// settings.
func Start(dir, name, stream, application string, failover time.Duration, env []string, logDir string) (*Worker, error) {
	p, err := proc.Start(proc.Spec{
		Name: name, Path: "java", LogDir: logDir,
		Args: []string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
			"-cp", filepath.Join(dir, "kcl-peer.jar") + ":" + filepath.Join(dir, "lib", "*"), "KclPeer"},
		Env: append(env, "KCL_STREAM="+stream, "KCL_APPLICATION="+application, "KCL_WORKER="+name,
			fmt.Sprintf("KCL_FAILOVER_MS=%d", failover.Milliseconds())),
	})
	if err != nil {
		return nil, err
	}
	return &Worker{Process: p, out: filepath.Join(logDir, name+".out")}, nil
}

// Seen is what a worker has told so far.
type Seen struct {
	Numbers map[int64]int     // record number → how often it was processed
	Started map[string]string // shard → sequence number it began at
}

// Seen reads everything the worker has written.
func (w *Worker) Seen() (Seen, error) {
	s := Seen{Numbers: map[int64]int{}, Started: map[string]string{}}
	file, err := os.Open(w.out)
	if err != nil {
		return s, fmt.Errorf("read output: %w", err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.SplitN(lines.Text(), "\t", 5)
		if len(fields) != 5 {
			continue // the last line may be half written
		}
		switch fields[0] {
		case "initialize":
			s.Started[fields[1]] = fields[2]
		case "record":
			var message struct{ Record *int64 }
			if json.Unmarshal([]byte(fields[4]), &message) == nil && message.Record != nil {
				s.Numbers[*message.Record]++
			}
		}
	}
	return s, lines.Err()
}
