package put_test

import (
	"errors"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/local"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
)

// TestDial_LosesNoAnswers sends to a fast server, of whose answers the SDK's
// client alone loses 1 to 10 in a hundred, because it closes request bodies
// under net/http.
func TestDial_LosesNoAnswers(t *testing.T) {
	binary, err := local.Build(t.Context(), t.TempDir())
	if errors.Is(err, local.ErrAbsent) {
		t.Skip("skipped: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	server, err := local.Start(binary, local.Signed)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := server.CreateStream(t.Context(), "test", 1); err != nil {
		t.Fatal(err)
	}
	client := put.New(put.Dial(server.Config("producer"), 1), "test")
	list := records(500, 100)
	lost := 0
	for range 500 {
		if _, err := client.Put(t.Context(), list); err != nil {
			t.Log(err)
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("got %d of 500 answers lost, want 0", lost)
	}
}
