package infra

import (
	"debug/elf"
	"fmt"
	"slices"
)

// ImageLimit is what an image may weigh, in bytes of its unpacked layers; images.sh
// holds the images of one machine to the same.
const ImageLimit = 15 << 20

// Image is one platform's image of an index, as a registry has it.
type Image struct {
	Platform   string // as the index has it, linux/arm64
	Declared   string // as the image's own configuration has it
	User       string
	Entrypoint []string
	Labels     map[string]string
	Compressed int64 // bytes of the layers in the registry
	Unpacked   int64 // bytes of the files in the layers
	Binary     Program
}

// Program is the binary that an image's entrypoint names.
type Program struct {
	Content []byte // none when the layers hold no such file
	Machine elf.Machine
	Static  bool // wants no loader, and so no library
}

// machines are the processors of the platforms that are published.
func machines() map[string]elf.Machine {
	return map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64}
}

// IndexFaults returns what is wrong with which platforms there are.
func IndexFaults(images []Image) []string {
	have := map[string]int{}
	for _, image := range images {
		have[image.Platform]++
	}
	var faults []string
	for platform := range machines() {
		if have[platform] != 1 {
			faults = append(faults, fmt.Sprintf("%s: %d images, want 1", platform, have[platform]))
		}
		delete(have, platform)
	}
	for platform := range have {
		faults = append(faults, platform+" is no platform that is published")
	}
	slices.Sort(faults)
	return faults
}

// Faults returns what is wrong with an image that was built of a version and a
// revision; it does not run the binary. IndexFaults names platforms that are not
// published, so of those it says nothing.
func (i Image) Faults(version, revision string) []string {
	machine, published := machines()[i.Platform]
	if !published {
		return nil
	}
	var faults []string
	wrong := func(what string, got, want any) {
		if got != want {
			faults = append(faults, fmt.Sprintf("%s: %s is %v, want %v", i.Platform, what, got, want))
		}
	}
	wrong("the configuration's platform", i.Declared, i.Platform)
	wrong("the user", i.User, "65532:65532")
	wrong("the version", i.Labels["org.opencontainers.image.version"], version)
	wrong("the revision", i.Labels["org.opencontainers.image.revision"], revision)
	wrong("the binary's machine", i.Binary.Machine, machine)
	wrong("the binary's being static", i.Binary.Static, true)
	if i.Unpacked > ImageLimit {
		wrong("the size in bytes", i.Unpacked, fmt.Sprintf("at most %d", ImageLimit))
	}
	return faults
}
