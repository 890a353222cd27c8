package infra_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
)

const ociIndex = "application/vnd.oci.image.index.v1+json"

// published is one platform's image, as it is put into a registry.
type published struct {
	platform, declared, user, version, revision, file string
	machine                                           elf.Machine
	loader                                            bool
	padding                                           int // bytes of a second file
}

func wellPublished() []published {
	image := published{platform: "linux/amd64", declared: "linux/amd64", user: "65532:65532", version: "1.2.0",
		revision: "abc", file: "consumer", machine: elf.EM_X86_64}
	arm := image
	arm.platform, arm.declared, arm.machine = "linux/arm64", "linux/arm64", elf.EM_AARCH64
	return []published{image, arm}
}

func TestRepository_Images(t *testing.T) {
	for name, tc := range map[string]struct {
		breaks func(images []published) []published
		want   string // of the faults; none when empty
	}{
		"all well":         {func(p []published) []published { return p }, ""},
		"one platform":     {func(p []published) []published { return p[:1] }, "linux/arm64: 0 images, want 1"},
		"one twice":        {func(p []published) []published { return append(p, p[0]) }, "linux/amd64: 2 images, want 1"},
		"attestation":      {func(p []published) []published { p[1].platform = "unknown/unknown"; return p }, "unknown/unknown is no platform"},
		"declared other":   {func(p []published) []published { p[1].declared = "linux/amd64"; return p }, "the configuration's platform is linux/amd64, want linux/arm64"},
		"root":             {func(p []published) []published { p[0].user = ""; return p }, "linux/amd64: the user is , want 65532:65532"},
		"other version":    {func(p []published) []published { p[1].version = "dev"; return p }, "linux/arm64: the version is dev, want 1.2.0"},
		"other revision":   {func(p []published) []published { p[0].revision = "unknown"; return p }, "the revision is unknown, want abc"},
		"other machine":    {func(p []published) []published { p[1].machine = elf.EM_X86_64; return p }, "the binary's machine is EM_X86_64, want EM_AARCH64"},
		"wants a loader":   {func(p []published) []published { p[0].loader = true; return p }, "being static is false, want true"},
		"no such binary":   {func(p []published) []published { p[0].file = "other"; return p }, "machine is EM_NONE, want EM_X86_64"},
		"more than 15 MiB": {func(p []published) []published { p[1].padding = infra.ImageLimit; return p }, "the size in bytes is"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(registryOf(t, tc.breaks(wellPublished())))
			defer server.Close()
			images, err := infra.Repository(server.URL+"/v2/consumer").Images(t.Context(), "1.2.0")
			if err != nil {
				t.Fatal(err)
			}
			faults := infra.IndexFaults(images)
			for _, image := range images {
				faults = append(faults, image.Faults("1.2.0", "abc")...)
			}
			got := strings.Join(faults, "\n")
			if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Errorf("got faults %q, want %q", got, tc.want)
			}
		})
	}
}

// What is not an index is an error: one image alone, under the tag.
func TestRepository_ImagesWantsAnIndex(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"mediaType":"application/vnd.oci.image.manifest.v1+json"}`))
	}))
	defer server.Close()
	_, err := infra.Repository(server.URL+"/v2/consumer").Images(t.Context(), "1.2.0")
	if err == nil || !strings.Contains(err.Error(), "want an index") {
		t.Errorf("got %v, want it to say that this is no index", err)
	}
}

// registryOf serves these images, and the index of them as tag 1.2.0.
func registryOf(t *testing.T, images []published) http.Handler {
	t.Helper()
	blobs := map[string][]byte{}
	put := func(content []byte) map[string]any {
		digest := fmt.Sprintf("sha256:%x", sha256.Sum256(content))
		blobs[digest] = content
		return map[string]any{"digest": digest, "size": len(content)}
	}
	object := func(value any) []byte {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var manifests []any
	for _, image := range images {
		declared := strings.Split(image.declared, "/")
		manifest := put(object(map[string]any{
			"config": put(object(map[string]any{"os": declared[0], "architecture": declared[1], "config": map[string]any{
				"User": image.user, "Entrypoint": []string{"/consumer"}, "Labels": map[string]string{
					"org.opencontainers.image.version": image.version, "org.opencontainers.image.revision": image.revision}}})),
			"layers": []any{put(layer(t, image))},
		}))
		platform := strings.Split(image.platform, "/")
		manifest["platform"] = map[string]string{"os": platform[0], "architecture": platform[1]}
		manifests = append(manifests, manifest)
	}
	blobs["1.2.0"] = object(map[string]any{"mediaType": ociIndex, "manifests": manifests})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(blobs[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]])
	})
}

// layer is a packed layer with nothing but the header of a program, and padding.
func layer(t *testing.T, image published) []byte {
	t.Helper()
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(image.machine), Version: 1, Ehsize: 64, Phentsize: 56, Phoff: 64}
	copy(header.Ident[:], elf.ELFMAG+string([]byte{byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)}))
	var program bytes.Buffer
	if image.loader {
		header.Phnum = 1
	}
	for _, part := range []any{header, elf.Prog64{Type: uint32(elf.PT_INTERP)}} {
		if err := binary.Write(&program, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	if strings.HasPrefix(image.platform, "unknown") { // as an attestation's, which is JSON
		return []byte(`{"_type":"https://in-toto.io/Statement/v0.1"}`)
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	files := tar.NewWriter(zip)
	for name, content := range map[string][]byte{image.file: program.Bytes(), "padding": make([]byte, image.padding)} {
		if err := files.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
