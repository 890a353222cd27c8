// Package ecs finds out the name of the machine or task a worker runs in.
package ecs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// MetadataVariable is set by the ECS agent in every container.
const MetadataVariable = "ECS_CONTAINER_METADATA_URI_V4"

const timeout = time.Second

// Name returns the ECS task's id where metadataURI is set and answers within a
// second, else fallback. Slashes, which would confuse a worker's id, are replaced.
func Name(ctx context.Context, metadataURI, fallback string) string {
	if metadataURI != "" {
		if id, err := taskID(ctx, metadataURI); err == nil {
			return clean(id)
		}
	}
	return clean(fallback)
}

func clean(name string) string {
	if name == "" {
		return "unknown"
	}
	return strings.ReplaceAll(name, "/", "-")
}

func taskID(ctx context.Context, metadataURI string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, metadataURI+"/task", nil)
	if err != nil {
		return "", fmt.Errorf("ask for task metadata: %w", err)
	}
	client := http.Client{Transport: &http.Transport{}} // without a proxy, whatever there is for AWS
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("ask for task metadata: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var task struct{ TaskARN string }
	if err := json.NewDecoder(http.MaxBytesReader(nil, response.Body, 1<<20)).Decode(&task); err != nil {
		return "", fmt.Errorf("read task metadata: %w", err)
	}
	id := task.TaskARN[strings.LastIndexByte(task.TaskARN, '/')+1:]
	if id == "" {
		return "", fmt.Errorf("read task metadata: no task ARN in it")
	}
	return id, nil
}
