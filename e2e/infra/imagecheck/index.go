package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
)

// index checks what a repository has under the tag of a version: the platforms,
// each image, and what each binary says of its version, run by emulator where it
// is of another machine.
func index(ctx context.Context, repository infra.Repository, version, revision, emulator string) error {
	images, err := repository.Images(ctx, version)
	if err != nil {
		return err
	}
	faults := infra.IndexFaults(images)
	for _, image := range images {
		faults = append(faults, image.Faults(version, revision)...)
	}
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	for _, image := range images {
		said, err := saysOfItself(ctx, image, emulator)
		if err != nil {
			return fmt.Errorf("run the binary for %s: %w", image.Platform, err)
		}
		if !strings.Contains(said, version) {
			return fmt.Errorf("the binary for %s says it is %q, want %s", image.Platform, said, version)
		}
		fmt.Printf("%-18s %s: static %v, %d KiB compressed, %d KiB unpacked, user %s\n",
			said, image.Platform, image.Binary.Machine, image.Compressed>>10, image.Unpacked>>10, image.User)
	}
	return nil
}

// saysOfItself runs the verb version of an image's binary.
func saysOfItself(ctx context.Context, image infra.Image, emulator string) (string, error) {
	folder, err := os.MkdirTemp("", "imagecheck")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	program := filepath.Join(folder, "binary")
	if err := os.WriteFile(program, image.Binary.Content, 0o700); err != nil { //nolint:gosec // it is to be run
		return "", err
	}
	command := []string{program, "version"}
	if image.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		command = append([]string{emulator}, command...)
	}
	out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput() //nolint:gosec // the image under test and the emulator the script names
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
