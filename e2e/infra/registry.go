package infra

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Repository is the address of one repository of a registry that wants no
// login: http://127.0.0.1:5000/v2/name.
type Repository string

// The media types of an index and of one image, by the OCI image specification 1.1.
const (
	indexType = "application/vnd.oci.image.index.v1+json"
	imageType = "application/vnd.oci.image.manifest.v1+json"
)

const maxBlob = 64 << 20 // bytes; an image of ours is a quarter of it at most

type descriptor struct {
	MediaType, Digest string
	Size              int64
	Platform          struct{ OS, Architecture string }
}

// Images returns the image of every platform in the index that a tag names; of
// a platform that is not published only its name. It is an error when the tag
// names no index.
func (r Repository) Images(ctx context.Context, tag string) ([]Image, error) {
	var index struct {
		MediaType string
		Manifests []descriptor
	}
	if err := r.decode(ctx, "manifests/"+tag, indexType+", "+imageType, &index); err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	if index.MediaType != indexType {
		return nil, fmt.Errorf("%s is a %s, want an index", tag, index.MediaType)
	}
	var images []Image
	for _, d := range index.Manifests {
		platform := d.Platform.OS + "/" + d.Platform.Architecture
		if _, ok := machines()[platform]; !ok { // an attestation's, say: no layers to unpack
			images = append(images, Image{Platform: platform})
			continue
		}
		image, err := r.image(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("read image for %s: %w", platform, err)
		}
		image.Platform = platform
		images = append(images, image)
	}
	return images, nil
}

func (r Repository) image(ctx context.Context, d descriptor) (Image, error) {
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	if err := r.decode(ctx, "manifests/"+d.Digest, d.MediaType, &manifest); err != nil {
		return Image{}, err
	}
	var config struct {
		OS, Architecture string
		Config           struct {
			User       string
			Entrypoint []string
			Labels     map[string]string
		}
	}
	if err := r.decode(ctx, "blobs/"+manifest.Config.Digest, "", &config); err != nil {
		return Image{}, err
	}
	image := Image{
		Declared:   config.OS + "/" + config.Architecture,
		User:       config.Config.User,
		Entrypoint: config.Config.Entrypoint,
		Labels:     config.Config.Labels,
	}
	for _, layer := range manifest.Layers {
		image.Compressed += layer.Size
		blob, err := r.get(ctx, "blobs/"+layer.Digest, "")
		if err != nil {
			return Image{}, err
		}
		if err := image.addLayer(blob); err != nil {
			return Image{}, fmt.Errorf("unpack layer %s: %w", layer.Digest, err)
		}
	}
	return image, nil
}

// addLayer counts the files of a layer, packed or not, and keeps the entrypoint's.
func (i *Image) addLayer(blob []byte) error {
	var unpacked io.Reader = bytes.NewReader(blob)
	if bytes.HasPrefix(blob, []byte{0x1f, 0x8b}) {
		var err error
		if unpacked, err = gzip.NewReader(unpacked); err != nil {
			return err
		}
	}
	for files := tar.NewReader(unpacked); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		i.Unpacked += header.Size
		if len(i.Entrypoint) == 0 || header.Typeflag != tar.TypeReg || "/"+strings.TrimPrefix(header.Name, "/") != i.Entrypoint[0] {
			continue
		}
		if i.Binary.Content, err = io.ReadAll(io.LimitReader(files, maxBlob)); err != nil {
			return err
		}
		if err := i.Binary.read(); err != nil {
			return err
		}
	}
}

func (p *Program) read() error {
	program, err := elf.NewFile(bytes.NewReader(p.Content))
	if err != nil {
		return err
	}
	p.Machine, p.Static = program.Machine, true
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_INTERP {
			p.Static = false
		}
	}
	return nil
}

func (r Repository) decode(ctx context.Context, path, accept string, into any) error {
	body, err := r.get(ctx, path, accept)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("decode %s: %w", path, err)
	}
	return nil
}

func (r Repository) get(ctx context.Context, path, accept string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, string(r)+"/"+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", path, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxBlob))
}
