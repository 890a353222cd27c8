// Package prometheus runs a real Prometheus server against processes of a test
// and asks it questions.
package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

const serveTimeout = 30 * time.Second

// Server is a running Prometheus.
type Server struct {
	URL     string
	process *proc.Process
}

// Start runs the executable at path in folder dir. It scrapes each job's
// addresses every second. Stop must be called.
func Start(ctx context.Context, path, dir string, jobs map[string][]string) (*Server, error) {
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte(configuration(jobs)), 0o600); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	process, err := proc.Start(proc.Spec{Name: "prometheus", Path: path, LogDir: dir, Args: []string{
		"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(dir, "prometheus"), "--web.listen-address=127.0.0.1:0",
	}})
	if err != nil {
		return nil, err
	}
	s := &Server{process: process}
	ctx, cancel := context.WithTimeout(ctx, serveTimeout)
	defer cancel()
	listening := regexp.MustCompile(`Listening on.* address=(127\.0\.0\.1:\d+)`)
	line, err := process.WaitLine(ctx, false, listening.MatchString)
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("start prometheus: %w", err)
	}
	s.URL = "http://" + listening.FindStringSubmatch(line)[1]
	if _, err := process.WaitLine(ctx, false, func(line string) bool { return strings.Contains(line, "ready to receive") }); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start prometheus: %w", err)
	}
	return s, nil
}

// Stop ends the server.
func (s *Server) Stop() { s.process.Kill() }

func configuration(jobs map[string][]string) string {
	var b strings.Builder
	b.WriteString("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n")
	for _, job := range slices.Sorted(maps.Keys(jobs)) {
		fmt.Fprintf(&b, "  - {job_name: %s, static_configs: [{targets: [%q]}]}\n", job, strings.Join(jobs[job], `","`))
	}
	return strings.ReplaceAll(b.String(), `\"`, `"`)
}

// Query evaluates an expression now: the value of each series it returns. An
// expression that does not parse is an error.
func (s *Server) Query(ctx context.Context, expression string) ([]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v1/query?query="+url.QueryEscape(expression), nil)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Value [2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("query %s: %w", expression, err)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("query %s: %s", expression, answer.Error)
	}
	values := make([]float64, 0, len(answer.Data.Result))
	for _, series := range answer.Data.Result {
		text, _ := series.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", expression, err)
		}
		values = append(values, value)
	}
	return values, nil
}
